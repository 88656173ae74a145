#include "lobster_check.hpp"
#include "report.hpp"
#include "subcommands.hpp"

#include <events_bfbs.hpp>
#include <fmt/core.h>

#include <pawl/codec/dispatch.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/codec/registration.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/journal/writer.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace exchange {
namespace {

using lobster_events = pawl::event_list<lobster_message>;

pawl::error in_file(const std::filesystem::path& path, const csv_error& what) {
    return {.code = pawl::errc::malformed, .file = path, .detail = what.message()};
}

pawl::error not_opened(const std::filesystem::path& path) {
    return {.code = pawl::errc::io, .os_error = errno, .file = path};
}

// Appends the messages that the journal does not hold yet, and fails if it holds different ones. An
// order's number is its stream, so that the life of one order can be read alone.
pawl::result<void> record(const lobster_options& options) {
    std::ifstream messages{options.messages};
    if (!messages)
        return std::unexpected(not_opened(options.messages));
    auto log = pawl::writer::open(options.journal);
    if (!log)
        return std::unexpected(std::move(log.error()));
    if (auto known = pawl::register_events<lobster_events>(*log, events_bfbs()); !known)
        return std::unexpected(std::move(known.error()));
    auto recorded = pawl::cursor::open(options.journal);
    if (!recorded)
        return std::unexpected(std::move(recorded.error()));
    const std::uint64_t known = log->next_sequence();
    pawl::encoder encode;
    std::string text;
    for (std::size_t line = 1; std::getline(messages, text); ++line) {
        const auto message = parse_message(text, line);
        if (!message)
            return std::unexpected(in_file(options.messages, message.error()));
        const auto encoded = encode.encode([&](flatbuffers::FlatBufferBuilder& builder) {
            return lobster_message::Pack(builder, &*message);
        });
        if (!encoded)
            return std::unexpected(encoded.error());
        if (line <= known) {
            const pawl::event* before = recorded->next();
            if (!before || !pawl::is<lobster_message>(*before) ||
                !std::ranges::equal(before->payload(), encoded->bytes))
                return pawl::fail(pawl::errc::invalid_argument,
                                  fmt::format("the journal does not hold line {}", line));
            continue;
        }
        const auto placed = log->append(
            pawl::header_of<lobster_message>({.stream = message->order}), encoded->bytes);
        if (!placed)
            return std::unexpected(placed.error());
    }
    return log->close();
}

pawl::result<void> replay(const lobster_options& options, lobster_check& check) {
    auto events = pawl::cursor::open(options.journal);
    if (!events)
        return std::unexpected(std::move(events.error()));
    const auto checked = [&](csv_result<void> done) -> pawl::result<void> {
        return done ? pawl::result<void>{} : std::unexpected(in_file(options.rows, done.error()));
    };
    const auto replayed = events->for_each([&](const pawl::event& event) {
        return pawl::dispatch<lobster_events>(
            event, [&](const lobster_message& m) { return checked(check.take(m)); });
    });
    if (!replayed)
        return std::unexpected(replayed.error());
    return checked(check.finish());
}

}  // namespace

int lobster(const lobster_options& options) {
    std::ifstream rows{options.rows};
    if (!rows)
        return complain(not_opened(options.rows));
    if (auto recorded = record(options); !recorded)
        return complain(recorded.error());
    lobster_check check{rows};
    if (auto replayed = replay(options, check); !replayed)
        return complain(replayed.error());
    return print({{"rows", check.compared()},
                  {"mismatches", check.mismatched()},
                  {"mismatch", check.examples()}},
                 options.json, check.mismatched() == 0 ? 0 : 1);
}

}  // namespace exchange
