// use_replay DIR: appends notes to a new journal and folds them into one state.
#include "note_events.hpp"

#include <pawl/codec/encoder.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/fold.hpp>

#include <cstdint>
#include <cstdio>

namespace {

struct priorities {
    struct state {
        std::int64_t sum = 0;
    };
    using events = pawl::event_list<consumer::note>;

    state initial() const { return {}; }
    void evolve(state& s, const consumer::note& e) const { s.sum += e.priority(); }
};

bool append_notes(const char* directory, int count) {
    auto log = pawl::writer::open(directory);
    if (!log)
        return false;
    pawl::encoder encode;
    for (int priority = 1; priority <= count; ++priority) {
        const auto placed = encode.append(*log, {}, [&](auto& builder) {
            return consumer::Createnote(builder, builder.CreateString("again"), priority);
        });
        if (!placed)
            return false;
    }
    return log->close().has_value();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 || !append_notes(argv[1], 10))
        return 1;
    const auto folded = pawl::fold<priorities>(argv[1]);
    if (!folded || folded->state.sum != 55 || folded->progress.events != 10) {
        std::fputs("use_replay: the state is not what the notes add up to\n", stderr);
        return 1;
    }
    return 0;
}
