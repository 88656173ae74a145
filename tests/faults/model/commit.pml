/* The commit protocol: one writer, two readers, one flusher, over two segments.
 *
 * A frame is three cells: commit word, hash, payload. Stores that no fence orders may happen in any
 * order; the commit word is stored with release, so after all of them, and loaded with acquire. A
 * reservation that is larger than its event, or abandoned, leaves scribbles that look like a commit
 * word where the next frame will be.
 *
 * -DEARLY_COMMIT, -DNO_CLEAR, -DEARLY_PUBLISH, -DEARLY_END: wrong orders that must be found. */

#define FRAMES 3                   /* room in a segment, the end frame's included */
#define SEGMENTS 2
#define CELLS 12                   /* of a segment: its frames, and the word after the last */
#define EVENTS 4                   /* two in each segment, then an end frame */
#define EVENT 1
#define END 2
#define SCRIBBLE 3

#define AT(segment, frame) ((segment) * CELLS + (frame) * 3)
#define HASH(at, payload) ((at) + (payload) + 1)

byte cell[24];
byte published = 0;                /* exclusive sequence; what the flusher reads */
byte durable = 0;

/* Zeroes the word after a frame, stores hash and payload, in any order, then the commit word. */
inline store_frame(at, word, content) {
    hashed = false; filled = false; cleared = false;
#ifdef EARLY_COMMIT
    cell[at] = word;
#endif
#ifdef NO_CLEAR
    cleared = true;
#endif
    do
    :: !filled -> cell[at + 2] = content; filled = true
    :: !hashed -> cell[at + 1] = HASH(at, content); hashed = true
    :: !cleared -> cell[at + 3] = 0; cleared = true
    :: filled && hashed && cleared -> break
    od;
    cell[at] = word
}

/* A reservation over this frame's payload and the next frame's place, abandoned or shortened. */
inline scribble(at) {
    cell[at + 2] = SCRIBBLE;
    cell[at + 3] = SCRIBBLE
}

active proctype writer() {
    byte segment = 0, frame = 0, sequence = 0;
    bool hashed, filled, cleared;
    do
    :: sequence < EVENTS ->
        if
        :: frame == FRAMES - 1 ->
#ifdef EARLY_END
            cell[AT(segment, frame)] = END;
#endif
            store_frame(AT(segment, frame), END, 0);
            segment++; frame = 0
        :: else
        fi;
        if
        :: skip
        :: scribble(AT(segment, frame))
        fi;
#ifdef EARLY_PUBLISH
        published = sequence + 1;
#endif
        store_frame(AT(segment, frame), EVENT, sequence);
        sequence++; frame++;
        published = sequence
    :: else -> break
    od
}

/* A frame with a commit word is whole, is what was written, and comes in order. */
active [2] proctype reader() {
    byte segment = 0, frame = 0, sequence = 0, word;
    do
    :: sequence < EVENTS ->
        word = cell[AT(segment, frame)];
        if
        :: word == 0                /* nothing yet: look again */
        :: word == END ->
            assert(frame == FRAMES - 1);
            assert(cell[AT(segment, frame) + 1] == HASH(AT(segment, frame), 0));
            segment++; frame = 0
        :: else ->
            assert(word == EVENT);
            assert(cell[AT(segment, frame) + 2] == sequence);
            assert(cell[AT(segment, frame) + 1] == HASH(AT(segment, frame), sequence));
            sequence++; frame++
        fi
    :: else -> break
    od
}

/* Copies what is published to stable storage: every frame below the watermark must be whole. */
active proctype flusher() {
    byte reached, sequence, at;
    do
    :: durable < EVENTS ->
        reached = published;
        sequence = durable;
        do
        :: sequence < reached ->
            at = AT(sequence / (FRAMES - 1), sequence % (FRAMES - 1));
            assert(cell[at] == EVENT && cell[at + 1] == HASH(at, sequence));
            sequence++
        :: else -> break
        od;
        durable = reached;
        assert(durable <= published)
    :: else -> break
    od
}
