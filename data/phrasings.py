"""Topics and phrasings written by hand; build_prompts.py pairs them. No text of others."""

# For each group: phrasings ({} stands for the topic), then topics.
GROUPS = {
    "recipe": (
        [
            "Recipe for {}, please.",
            "{}: ingredients, steps, tips.",
            "How do I cook {}? List the ingredients first, then number the steps.",
            "I have guests tonight and want to make {}. Write out the recipe, with a few tips at the end.",
            "My oven is small, my patience smaller, and I still want {} on the table in an hour. What is the easiest recipe, start to finish?",
            "Share your favourite way to prepare {}, from the shopping list to serving.",
            "Write a recipe card for {} with a title, a line of introduction, ingredients and method.",
            "My grandmother never wrote down how she made {}. Could you reconstruct a classic version, and end with how to store leftovers?",
            "I am teaching my son to cook. Give us a simple recipe for {} and mention what usually goes wrong.",
            "What goes into {}, and how is it made?",
        ],
        "lentil soup|banana bread|mushroom risotto|apple pie|chicken curry|potato salad|"
        "pancakes|tomato sauce|vegetable lasagne|fish tacos|garlic bread|oatmeal cookies|"
        "beef stew|fried rice|pumpkin soup|hummus|spinach quiche|pizza dough|chocolate cake|"
        "roasted carrots|omelette with herbs|rice pudding|stuffed peppers|cheese scones|"
        "bean chili|noodle salad|lemonade",
    ),
    "how-to": (
        [
            "How do I {}?",
            "How to {}, step by step",
            "Write a short guide on how to {}.",
            "I have never tried to {}. What do I need, and what should I do first?",
            "Explain how to {}. Start with what to get ready and finish with common mistakes.",
            "In simple words, teach me how to {}.",
            "It is Sunday, the shops are closed and I want to {} with what I have at home. Walk me through it.",
            "Give me clear, numbered instructions to {}, plus two tips only experienced people know.",
            "I tried to {} last week and it went badly. What is the right order of doing things, and how do I know that it worked?",
            "Beginner here. What is the best way to {}?",
        ],
        "change a bicycle tyre|plant a vegetable garden|paint a room|tie a tie|"
        "set up a home network|sharpen a kitchen knife|build a bird house|"
        "clean a coffee machine|pack for a week of hiking|start a compost heap|"
        "fix a dripping tap|iron a shirt|train a puppy to sit|back up a computer|"
        "make a paper kite|learn to juggle|write a curriculum vitae|hang a picture|"
        "repot a plant|take better photos|remove a stain from a carpet|"
        "save money every month|start running|organise a small kitchen|"
        "prepare for a job interview|wash a car by hand|sew on a button",
    ),
    "story": (
        [
            "Write a short story about {}.",
            "A story about {}, please. Keep it short.",
            "Tell me a bedtime story about {}.",
            "Write a story with a beginning, a problem and an ending about {}.",
            "Once upon a time there was {}. Continue the story to its end.",
            "Tell a tale of {}, and end it with a surprise.",
            "For our writing circle everyone drew a slip of paper. Mine says: {}. Write the story, with a title, a turning point and a quiet last paragraph.",
            "Imagine {}. Tell what happens, in the first person.",
            "Write a fable about {} and close with its moral.",
            "My daughter wants a story about {}. Nobody may get hurt, and everything is all right in the end.",
        ],
        "a lighthouse keeper who finds a letter|two brothers lost in a forest|"
        "a robot that learns to paint|a village that runs out of water|"
        "a girl who talks to crows|an old clockmaker|a ship stuck in the ice|"
        "a dragon afraid of fire|a baker with a secret|a storm on the first day of school|"
        "a thief who returns things|a dog that crosses a country|the last library|"
        "a musician who loses her hearing|a king without a crown|a garden on the moon|"
        "a train that never stops|a fisherman and a talking fish|twins who swap places|"
        "a detective in a small town|a mountain that moves|a child who finds a map|"
        "a ghost who is lonely|a race across the desert|a broken promise|"
        "a letter from the future|a winter without snow",
    ),
    "review": (
        [
            "Write a review of {}.",
            "Review: {}. Pros, cons, verdict.",
            "Review {}: what is good, what is bad, and your verdict.",
            "I just tried {}. Help me write an honest review with a rating out of five.",
            "Write a detailed customer review of {}, as someone who was sceptical at first.",
            "Give a critical review of {} and say who it is for.",
            "Write a mixed review of {} for a local magazine: first impressions, the details, a comparison and a final word.",
            "I was let down by {}, though not in every way. Write a fair review that says so and ends with advice to others.",
            "An enthusiastic review of {}, with one small complaint",
            "What would an honest review of {} say?",
        ],
        "a wireless headphone|a small Italian restaurant|a science fiction film|"
        "a fantasy novel|an electric kettle|a budget hotel near the sea|"
        "a pair of running shoes|a video game about farming|a city museum|"
        "a mobile phone with a big screen|a vacuum cleaner|a cooking class|a jazz album|"
        "a bicycle helmet|a language learning app|a coffee shop|a winter jacket|a board game|"
        "a streaming service|a camping tent|a smart watch|a theatre play|a second-hand car|"
        "an office chair|a train journey|a documentary about whales|a fitness club",
    ),
    "letter": (
        [
            "Write a letter to {}.",
            "Help me write a polite letter to {}.",
            "Draft a formal letter to {}, with greeting and closing.",
            "I need to write an email to {}. Please draft it.",
            "Short letter to {}, friendly but clear",
            "Write a warm letter to {}, and close it with thanks.",
            "I keep putting off writing to {} because I never find the right tone. Could you write it for me, not too stiff, with a proper opening and ending?",
            "Compose a letter to {}: why I am writing, what happened, what I hope for, and thanks.",
            "Please write an honest letter to {}. It should fit on one page.",
            "What would a good letter to {} look like? Write one.",
        ],
        "a landlord about a broken heater|a friend who moved abroad|"
        "a company to ask for a refund|a teacher to say thank you|"
        "a neighbour about loud music|the mayor about a dangerous crossing|"
        "a grandmother for her birthday|a hotel about a lost bag|a colleague who is leaving|"
        "a bank about a wrong fee|a university to ask about a course|an old school friend|"
        "a newspaper editor about the park|a customer who complained|"
        "my future self, ten years from now|an insurance company|"
        "a coach to explain an absence|the new neighbours to welcome them|"
        "a publisher about a manuscript|a supplier about a late delivery|"
        "a child at summer camp|a job applicant who was not chosen|volunteers after an event|"
        "a doctor to change an appointment|a cousin to invite them to a wedding|"
        "a charity to offer help|a manager to ask for a raise",
    ),
    "explanation": (
        [
            "Explain {}.",
            "Explain {} to a ten year old, with an example.",
            "Cover {} in three short parts: the basics, why it matters, and one common misunderstanding.",
            "Could you describe {} and give a little of the history?",
            "I don't understand {}. Explain it step by step.",
            "{}, in plain words",
            "I have to give a five-minute talk on {} tomorrow and know next to nothing. Explain the main idea, the details that matter and a good closing thought.",
            "Use an everyday comparison to explain {}, then say where the comparison breaks down.",
            "What should everybody know about {}?",
            "Write a short encyclopedia entry about {}, from a definition to open questions.",
        ],
        "photosynthesis|how vaccines work|inflation|black holes|the water cycle|democracy|"
        "how a car engine works|machine learning|the French Revolution|gravity|"
        "how bread rises|the stock market|earthquakes|what DNA is|the greenhouse effect|"
        "how the internet works|the immune system|electricity|tides|supply and demand|"
        "how planes fly|why we sleep|the solar system|how rainbows form|fermentation|memory|"
        "the Roman Empire",
    ),
    "travel": (
        [
            "Write a travel guide to {}.",
            "{} in three days?",
            "What should I see and eat in {}? Include tips on getting around.",
            "Describe {} for a travel magazine.",
            "I am visiting {} for the first time. What should I know?",
            "A weekend in {}: sights, food, and where to stay",
            "We are two adults and a five-year-old who hates museums, and we have four days for {}. Suggest what to do each day and where to rest.",
            "Write a diary entry by a traveller who has just arrived in {} and ends the day happily lost.",
            "When is the best time to go to {}, how do I get there, and what should I not miss?",
            "Recommend {} to a friend who would rather stay at home.",
        ],
        "Lisbon|Kyoto|Iceland|the Scottish Highlands|Marrakesh|Vienna|New Zealand|Istanbul|"
        "the Greek islands|Mexico City|Prague|Vietnam|Cape Town|the Swiss Alps|Buenos Aires|"
        "Norway's fjords|Rome|Bali|Edinburgh|Morocco|Montreal|Peru|Sicily|Copenhagen|Jordan|"
        "Ireland|a small town by a lake",
    ),
    "plan": (
        [
            "Make a plan for {}.",
            "Plan: {}. Goals, tasks, dates.",
            "Plan {} for me, with a schedule and a budget.",
            "I want to organise {}. Give me goals, tasks and a timeline.",
            "Create a step by step plan for {}.",
            "Outline {} with the main phases and risks.",
            "There are three of us, we have little money and six weeks. Help us plan {}: who does what, by when, and what we do if something fails.",
            "Write a checklist for {}, grouped into before, during and after.",
            "I always start too late. Give me a realistic plan for {} that begins with what to do today.",
            "What would a good plan for {} look like?",
        ],
        "a birthday party for ten children|learning the guitar in three months|"
        "a school science fair|a small wedding|opening a bakery|a week of healthy meals|"
        "moving to a new flat|a neighbourhood clean-up|training for a half marathon|"
        "a family holiday by train|a fundraising concert|launching a newsletter|"
        "renovating a bathroom|a book club|a camping trip with friends|"
        "studying for final exams|a garden for bees|reducing waste at home|a film night|"
        "a team workshop|saving for a house|starting a podcast|a street food stall|"
        "a chess tournament|writing a novel in a year|a surprise visit to grandparents|"
        "a winter survival kit",
    ),
    "dialogue": (
        [
            "Write a dialogue between {}.",
            "Write a conversation between {} that starts as a quarrel and ends well.",
            "A scene with {}: only dialogue and short stage directions.",
            "Script a funny conversation between {}.",
            "Let {} talk about what matters to them.",
            "Dialogue, please: {}",
            "It is late, the rain does not stop, and {} have to share a small shelter. Write what they say to each other until morning comes.",
            "Write a short play for {} in which one of them has a secret that comes out near the end.",
            "Imagine a phone call between {}. Begin with hello and end with goodbye.",
            "Write an interview-style conversation between {}, with questions, answers and one misunderstanding.",
        ],
        "a cat and a dog|a teacher and a late student|two astronauts|"
        "a customer and a shopkeeper|a mother and her teenage son|the sun and the moon|"
        "a doctor and a nervous patient|two old friends|a detective and a suspect|"
        "a chef and a waiter|a tourist and a taxi driver|a king and a beggar|"
        "a robot and a child|two neighbours|a librarian and a reader|"
        "a farmer and a city planner|a captain and a sailor|a painter and a critic|"
        "twins before an exam|a bus driver and a passenger|winter and spring|"
        "a manager and a new employee|a grandfather and his granddaughter|two rival bakers|"
        "a gardener and a rose|a player and a coach|an editor and a writer",
    ),
    "news": (
        [
            "Write a news article about {}.",
            "News report: {}",
            "Write a local news report on {}, with quotes.",
            "Write an article about {} with headline, background and reactions.",
            "Write a short newspaper piece on {}.",
            "For a school paper, report on {}.",
            "You are the only reporter of a small town's weekly and the front page is still empty. Fill it with a piece about {}: headline, what happened, voices from the street, what comes next.",
            "Write the radio news about {}, one minute long, ending with the weather.",
            "Write an opinion column on {}.",
            "Write a follow-up story about {}, one week later.",
        ],
        "a new bridge that opened today|a record heat wave|a village choir that won a prize|"
        "a rare bird seen in a city park|a strike of train drivers|"
        "a discovery of ancient coins|a school that bans phones|a flood in a river town|"
        "a new electric bus line|a chess prodigy|a fire in an old factory|a football upset|"
        "a bakery that turned one hundred|a power cut|an election for mayor|a meteor shower|"
        "a rescue in the mountains|a new law on plastic|a stolen painting that was found|"
        "a hospital that needs blood donors|a film festival|a shortage of apples|"
        "a robot in a nursing home|a marathon in the rain|a library that lends tools|"
        "the return of wolves|a lost dog that came home after a year",
    ),
    "advice": (
        [
            "I need advice: {}. What should I do?",
            "{}. Any advice?",
            "{}. Give me honest advice.",
            'A friend says: "{}." What would you tell them?',
            "What are good ways to deal with this: {}?",
            "Please help. {}. List my options with pros and cons.",
            "{}. I have read a dozen articles and none of them helped. Tell me first why this happens, then what to try this week, and when to ask for help.",
            'Answer as the kind aunt of an advice column: "Dear aunt, {}."',
            "Here is my problem: {}. What would you do first, second and third?",
            "{}. Where do I begin?",
        ],
        "I can't sleep at night|my roommate never cleans|I want to change my career|"
        "I argue with my sister a lot|I am afraid of speaking in public|"
        "I spend too much money|my child does not like school|I feel lonely in a new city|"
        "my boss ignores my ideas|I can't decide between two jobs|"
        "I procrastinate all the time|my neighbour's dog barks all day|"
        "I want to eat better but have no time|A friend owes me money and avoids me|"
        "I lost motivation to study|I want to learn a language at fifty|"
        "my team misses every deadline|I always say yes to everyone|"
        "I forgot an important birthday|I am nervous before exams|"
        "my parents don't like my plans|I work too many hours|my phone distracts me|"
        "I want to make new friends|I made a mistake at work|"
        "my plants keep dying whatever I do|I want to get fit at home",
    ),
    "code": (
        [
            "Write a Python function that {} and explain how it works.",
            "Python: a function that {}",
            "Show me code that {}, then explain it line by line.",
            "How can I write a program that {}? Include an example of its use.",
            "Write a small script that {}. Describe the idea first.",
            "Write a JavaScript function that {}. Give the code, then an explanation.",
            "I am new to programming and my first exercise is a program that {}. Explain the plan in words, then the code, then how I can test it.",
            "Write a function in a language of your choice that {}, and discuss what happens with empty input.",
            "Give two different ways to write a function that {}, and compare them.",
            "My code that {} is slow and hard to read. Show a clean version, and say what makes it better.",
        ],
        "reverses a string|checks whether a number is prime|counts the words in a text|"
        "sorts a list of names|finds the largest number in a list|"
        "converts Celsius to Fahrenheit|removes duplicates from a list|"
        "reads a file and prints its lines|computes factorials|merges two dictionaries|"
        "validates an email address|prints a triangle of stars|"
        "computes the average of numbers|checks for palindromes|generates a random password|"
        "counts vowels|computes Fibonacci numbers|finds common elements of two lists|"
        "converts a number to binary|simulates rolling dice|keeps a to-do list|parses a date|"
        "rounds prices|searches a sorted list|shuffles a deck of cards|"
        "measures how long a function takes|groups words by length",
    ),
    "vague": (
        [
            "{}",
            "Write: {}",
        ],
        "An Introduction to|Some thoughts on the sea|The history of|Notes|"
        "A guide for beginners|Why it matters|Ten things about winter|The art of|"
        "My favourite place|What happened yesterday|On friendship|Tell me something|"
        "Tips and tricks|The future of cities|A day in the life|Everything about tea|"
        "Questions and answers|The secret of|Life in a small village|Reasons to read",
    ),
}

# Groups that no predictor is trained on; what is reported on them is generalisation.
HELD_OUT = {
    "speech": (
        [
            "Write a speech for {}.",
            "I have to say a few words at {}. Draft a short speech with an opening, a story and a toast.",
        ],
        "my sister's wedding|the opening of a library|a retirement party|a school graduation|"
        "a climate protest|the founding of a village|an award ceremony|a football team at half-time|"
        "the farewell of a ship's crew|a class reunion|a town's five hundredth birthday|"
        "the launch of a small rocket|a debate on longer school holidays|a memorial in a park|"
        "the first day of a new job|a harvest festival",
    ),
    "language": (
        [
            "{}",
        ],
        "Schreibe eine kurze Geschichte über einen Leuchtturm.|Wie koche ich eine Linsensuppe?|"
        "Erkläre die Photosynthese in einfachen Worten.|Plane ein Wochenende in Wien.|"
        "Schreibe einen Brief an meine Nachbarin.|Was hilft gegen Schlaflosigkeit?|"
        "Écris une lettre à un ami qui a déménagé.|Donne-moi une recette de crêpes.|"
        "Explique la gravité à un enfant.|Raconte l'histoire d'un chat perdu.|"
        "Que visiter à Lyon en deux jours ?|Comment apprendre la guitare ?|"
        "Escribe un cuento sobre un dragón tímido.|¿Cómo se prepara un gazpacho?|"
        "Explica qué es la inflación.|Escribe una reseña de un restaurante.|"
        "Dame consejos para hablar en público.|Describe la ciudad de Sevilla.|"
        "Scrivi una ricetta per la lasagna.|Racconta la storia di un vecchio orologiaio.|"
        "Spiega come funziona un vaccino.|Consigli per visitare Roma.|"
        "Escreva uma carta para um amigo.|Como plantar uma horta?|"
        "Schrijf een kort verhaal over een robot.|Geef me een recept voor appeltaart.|"
        "Napisz krótkie opowiadanie o zimie.|Jak upiec chleb?|"
        "Skriv en berättelse om en fiskare.|Kerro minulle Helsingistä.",
    ),
}
