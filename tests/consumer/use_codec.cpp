// use_codec DIR: appends a typed event to a new journal and decodes it where it lies.
#include "note_events.hpp"

#include <pawl/codec/decode.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/journal/writer.hpp>

#include <cstdio>

namespace {

bool append_note(const char* directory) {
    auto log = pawl::writer::open(directory);
    if (!log)
        return false;
    pawl::encoder encode;
    const auto placed = encode.append(*log, {.stream = 7}, [](auto& builder) {
        return consumer::Createnote(builder, builder.CreateString("hello"), 3);
    });
    return placed && log->close();
}

bool read_note(const char* directory) {
    auto events = pawl::cursor::open(directory);
    if (!events)
        return false;
    const pawl::event* at = events->next();
    if (at == nullptr)
        return false;
    const auto note = pawl::decode<consumer::note>(*at);
    return note && (*note)->priority() == 3 && (*note)->text()->string_view() == "hello";
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 || !append_note(argv[1]) || !read_note(argv[1])) {
        std::fputs("use_codec: the note that was appended is not the one that is read\n", stderr);
        return 1;
    }
    return 0;
}
