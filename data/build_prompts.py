"""Builds the prompt set: topics x phrasings written by hand here, mixed with a fixed seed.

    python3 data/build_prompts.py > data/prompts.jsonl
"""

import json
import random

# For each group: phrasings ({} stands for the topic), then topics.
GROUPS = {
    "recipe": (
        [
            "Give me a recipe for {}.",
            "How do I cook {}? List the ingredients and the steps.",
            "I have guests tonight and want to make {}. Write the recipe with a few tips at the end.",
            "{} recipe please, with ingredients and instructions",
            "Share your favourite way to prepare {}, from shopping list to serving.",
        ],
        "lentil soup|banana bread|mushroom risotto|apple pie|chicken curry|potato salad|pancakes|tomato sauce|"
        "vegetable lasagne|fish tacos|garlic bread|oatmeal cookies|beef stew|fried rice|pumpkin soup|hummus|"
        "spinach quiche|pizza dough|chocolate cake|roasted carrots|omelette with herbs|rice pudding|"
        "stuffed peppers|cheese scones|bean chili|noodle salad|lemonade",
    ),
    "how-to": (
        [
            "How do I {}? Explain step by step.",
            "Write a short guide on how to {}.",
            "I have never tried to {}. What do I need and what should I do first?",
            "Steps to {}, with common mistakes to avoid",
            "Teach me how to {} in simple words.",
        ],
        "change a bicycle tyre|plant a vegetable garden|paint a room|tie a tie|set up a home network|"
        "sharpen a kitchen knife|build a bird house|clean a coffee machine|pack for a week of hiking|"
        "start a compost heap|fix a dripping tap|iron a shirt|train a puppy to sit|back up a computer|"
        "make a paper kite|learn to juggle|write a curriculum vitae|hang a picture|repot a plant|"
        "take better photos|remove a stain from a carpet|save money every month|start running|"
        "organise a small kitchen|prepare for a job interview|wash a car by hand|sew on a button",
    ),
    "story": (
        [
            "Write a short story about {}.",
            "Tell me a bedtime story about {}.",
            "Write a story with a beginning, a problem and an ending about {}.",
            "Once upon a time there was {}. Continue the story to its end.",
            "I'd like a tale of {} that ends with a surprise.",
        ],
        "a lighthouse keeper who finds a letter|two brothers lost in a forest|a robot that learns to paint|"
        "a village that runs out of water|a girl who talks to crows|an old clockmaker|a ship stuck in the ice|"
        "a dragon afraid of fire|a baker with a secret|a storm on the first day of school|a thief who returns things|"
        "a dog that crosses a country|the last library|a musician who loses her hearing|a king without a crown|"
        "a garden on the moon|a train that never stops|a fisherman and a talking fish|twins who swap places|"
        "a detective in a small town|a mountain that moves|a child who finds a map|a ghost who is lonely|"
        "a race across the desert|a broken promise|a letter from the future|a winter without snow",
    ),
    "review": (
        [
            "Write a review of {}.",
            "Review {}: what is good, what is bad, and your verdict.",
            "I just tried {}. Help me write an honest review with a rating.",
            "Write a detailed customer review for {}.",
            "Give a critical review of {} and say who should buy it.",
        ],
        "a wireless headphone|a small Italian restaurant|a science fiction film|a fantasy novel|an electric kettle|"
        "a budget hotel near the sea|a pair of running shoes|a video game about farming|a city museum|"
        "a mobile phone with a big screen|a vacuum cleaner|a cooking class|a jazz album|a bicycle helmet|"
        "a language learning app|a coffee shop|a winter jacket|a board game|a streaming service|a camping tent|"
        "a smart watch|a theatre play|a second-hand car|an office chair|a train journey|a documentary on whales|"
        "a fitness club",
    ),
    "letter": (
        [
            "Write a letter to {}.",
            "Help me write a polite letter to {}.",
            "Draft a formal letter to {}, with greeting and closing.",
            "I need to write an email to {}. Please draft it.",
            "Write a warm letter to {}.",
        ],
        "a landlord about a broken heater|a friend who moved abroad|a company to ask for a refund|"
        "a teacher to say thank you|a neighbour about loud music|the mayor about a dangerous crossing|"
        "a grandmother for her birthday|a hotel about a lost bag|a colleague who is leaving|"
        "a bank about a wrong fee|a university to ask about a course|an old school friend|"
        "a newspaper editor about the park|a customer who complained|my future self|an insurance company|"
        "a coach to explain an absence|the new neighbours to welcome them|a publisher about a manuscript|"
        "a supplier about a late delivery|a child at summer camp|a job applicant who was not chosen|"
        "volunteers after an event|a doctor to change an appointment|a cousin to invite them to a wedding|"
        "a charity to offer help|a manager to ask for a raise",
    ),
    "explanation": (
        [
            "Explain {}.",
            "Explain {} to a ten year old, with an example.",
            "What is {}, how does it work and why does it matter?",
            "Can you describe {} and give its history?",
            "I don't understand {}. Explain it step by step.",
        ],
        "photosynthesis|how vaccines work|inflation|black holes|the water cycle|democracy|how a car engine works|"
        "machine learning|the French Revolution|gravity|how bread rises|the stock market|earthquakes|DNA|"
        "the greenhouse effect|how the internet works|the immune system|electricity|tides|supply and demand|"
        "how planes fly|sleep|the solar system|how rainbows form|fermentation|memory|the Roman Empire",
    ),
    "travel": (
        [
            "Write a travel guide to {}.",
            "What should I see and eat in {}? Include tips on getting around.",
            "Describe {} for a travel magazine.",
            "I am visiting {} for the first time. What should I know?",
            "A weekend in {}: sights, food, and where to stay",
        ],
        "Lisbon|Kyoto|Iceland|the Scottish Highlands|Marrakesh|Vienna|New Zealand|Istanbul|the Greek islands|"
        "Mexico City|Prague|Vietnam|Cape Town|the Swiss Alps|Buenos Aires|Norway's fjords|Rome|Bali|Edinburgh|"
        "Morocco|Montreal|Peru|Sicily|Copenhagen|Jordan|Ireland|a small town by a lake",
    ),
    "plan": (
        [
            "Make a plan for {}.",
            "Plan {} for me, with a schedule and a budget.",
            "I want to organise {}. Give me goals, tasks and a timeline.",
            "Create a step by step plan for {}.",
            "Outline {} with the main phases and risks.",
        ],
        "a birthday party for ten children|learning the guitar in three months|a school science fair|"
        "a small wedding|opening a bakery|a week of healthy meals|moving to a new flat|a neighbourhood clean-up|"
        "training for a half marathon|a family holiday by train|a fundraising concert|launching a newsletter|"
        "renovating a bathroom|a book club|a camping trip with friends|studying for final exams|"
        "a garden for bees|reducing waste at home|a film night|a team workshop|saving for a house|"
        "starting a podcast|a street food stall|a chess tournament|writing a novel in a year|"
        "a surprise visit to grandparents|a winter survival kit",
    ),
    "dialogue": (
        [
            "Write a dialogue between {}.",
            "Write a conversation between {} that starts as a quarrel and ends well.",
            "A scene with {}: only dialogue and short stage directions.",
            "Script a funny conversation between {}.",
            "Let {} talk about what matters to them.",
        ],
        "a cat and a dog|a teacher and a late student|two astronauts|a customer and a shopkeeper|"
        "a mother and her teenage son|the sun and the moon|a doctor and a nervous patient|two old friends|"
        "a detective and a suspect|a chef and a waiter|a tourist and a taxi driver|a king and a beggar|"
        "a robot and a child|two neighbours|a librarian and a reader|a farmer and a city planner|"
        "a captain and a sailor|a painter and a critic|twins before an exam|a bus driver and a passenger|"
        "winter and spring|a manager and a new employee|a grandfather and his granddaughter|"
        "two rival bakers|a gardener and a rose|a player and a coach|an editor and a writer",
    ),
    "news": (
        [
            "Write a news article about {}.",
            "Write a local news report on {}, with quotes.",
            "Breaking news: {}. Write the article with headline, background and reactions.",
            "Write a short newspaper piece on {}.",
            "Report on {} for a school paper.",
        ],
        "a new bridge that opened today|a record heat wave|a village choir that won a prize|"
        "a rare bird seen in a city park|a strike of train drivers|a discovery of ancient coins|"
        "a school that bans phones|a flood in a river town|a new electric bus line|a chess prodigy|"
        "a fire in an old factory|a football upset|a bakery that turned one hundred|a power cut|"
        "an election for mayor|a meteor shower|a rescue in the mountains|a new law on plastic|"
        "a stolen painting that was found|a hospital that needs blood donors|a film festival|"
        "a shortage of apples|a robot in a nursing home|a marathon in the rain|a library that lends tools|"
        "the return of wolves|a bridge closed for repairs",
    ),
    "advice": (
        [
            "I need advice: {}. What should I do?",
            "{}. Give me honest advice.",
            "A friend says: '{}.' What would you tell them?",
            "What are good ways to deal with this: {}?",
            "Please help. {}. List my options with pros and cons.",
        ],
        "I can't sleep at night|my roommate never cleans|I want to change my career|I argue with my sister a lot|"
        "I am afraid of speaking in public|I spend too much money|my child does not like school|"
        "I feel lonely in a new city|my boss ignores my ideas|I can't decide between two jobs|"
        "I procrastinate all the time|my neighbour's dog barks all day|I want to eat better but have no time|"
        "a friend owes me money|I lost motivation to study|I want to learn a language at fifty|"
        "my team misses every deadline|I always say yes to everyone|I forgot an important birthday|"
        "I am nervous before exams|my parents don't like my plans|I work too many hours|"
        "my phone distracts me|I want to make new friends|I made a mistake at work|"
        "my plants keep dying|I want to get fit at home",
    ),
    "code": (
        [
            "Write a Python function that {} and explain how it works.",
            "Show me code that {}, then explain it line by line.",
            "How can I write a program that {}? Include an example of its use.",
            "Write a small script that {}. Describe the idea first.",
            "In JavaScript, {}: give the code and an explanation.",
        ],
        "reverses a string|checks whether a number is prime|counts the words in a text|sorts a list of names|"
        "finds the largest number in a list|converts Celsius to Fahrenheit|removes duplicates from a list|"
        "reads a file and prints its lines|computes factorials|merges two dictionaries|"
        "validates an email address|draws a triangle of stars|computes the average of numbers|"
        "checks for palindromes|generates a random password|counts vowels|computes Fibonacci numbers|"
        "finds common elements of two lists|converts a number to binary|simulates rolling dice|"
        "builds a to-do list|parses a date|rounds prices|searches a sorted list|shuffles a deck of cards|"
        "measures how long a function takes|groups words by length",
    ),
    "vague": (
        ["{}"],
        "An Introduction to|Some thoughts on the sea|The history of|Notes|A guide for beginners|"
        "Why it matters|Ten things about winter|The art of|My favourite place|What happened yesterday|"
        "On friendship|Tell me something|Tips and tricks|The future of cities|A day in the life|"
        "Everything about tea|Questions and answers|The secret of|Life in a small village|Reasons to read",
    ),
}


def main() -> None:
    draw = random.Random(2023)
    for group, (phrasings, topics) in GROUPS.items():
        for number, topic in enumerate(topics.split("|"), start=1):
            text = draw.choice(phrasings).format(topic)
            prompt = text[0].upper() + text[1:]
            print(json.dumps({"id": f"{group}-{number:03}", "prompt": prompt, "group": group}))


if __name__ == "__main__":
    main()
