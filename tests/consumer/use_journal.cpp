// use_journal DIR: appends events to a new journal and reads them back.
#include <pawl/journal/cursor.hpp>
#include <pawl/journal/writer.hpp>

#include <cstdio>
#include <span>
#include <string_view>

namespace {

bool append_events(const char* directory, std::span<const std::string_view> texts) {
    auto log = pawl::writer::open(directory);
    if (!log)
        return false;
    for (const std::string_view text : texts)
        if (!log->append({.type = 1, .stream = 42}, std::as_bytes(std::span{text})))
            return false;
    return log->sync() == texts.size() && log->close();
}

bool read_events(const char* directory, std::span<const std::string_view> texts) {
    auto events = pawl::cursor::open(directory);
    if (!events)
        return false;
    std::size_t seen = 0;
    while (const pawl::event* at = events->next()) {
        const auto payload = at->payload();
        const std::string_view text{reinterpret_cast<const char*>(payload.data()), payload.size()};
        if (seen == texts.size() || at->sequence() != seen || at->version() != seen + 1 ||
            !text.starts_with(texts[seen]))
            return false;
        ++seen;
    }
    return seen == texts.size() && events->finish() == pawl::end_of_journal::closed;
}

}  // namespace

int main(int argc, char** argv) {
    constexpr std::string_view texts[] = {"one", "two", "three"};
    if (argc != 2 || !append_events(argv[1], texts) || !read_events(argv[1], texts)) {
        std::fputs("use_journal: what was appended is not what is read\n", stderr);
        return 1;
    }
    return 0;
}
