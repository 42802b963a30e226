# Lets a clean checkout reuse the build of the stand-ins, and so of mistral.rs (a quarter of an
# hour): cargo goes by the files' times, and a checkout's are always new.
#
# The times are set back only if the stand-ins' text is the same as at the last build recorded
# here and nothing has built them since.

stand_ins="interpose/seam interpose/candle-nn interpose/tokio-rayon"
stamp="$CARGO_TARGET_DIR/stand-ins.sha256"

stand_ins_hash() {
    # shellcheck disable=SC2086
    find $stand_ins .cargo Cargo.toml -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
}

built_since() {
    find "$CARGO_TARGET_DIR/release/.fingerprint" -newer "$stamp" \
        \( -path '*/themecast-seam-*' -o -path '*/candle-nn-*' -o -path '*/tokio-rayon-*' \) \
        -name invoked.timestamp 2>/dev/null | grep -q .
}

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(stand_ins_hash)" ] && ! built_since; then
    # shellcheck disable=SC2086
    find $stand_ins -type f -exec touch -d 2020-01-01 {} +
    echo "the stand-ins are those of the last build here: reusing it"
fi

remember_stand_ins() { stand_ins_hash > "$stamp"; }
