#include "terminal/output.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace pawl::cli {

namespace {

// The next step for an operator who gets this error.
std::string_view advice(errc code) {
    switch (code) {
        case errc::damaged:
        case errc::missing_segment:
            return "Nothing was changed. Copy the directory before anything else; `pawl verify` "
                   "lists all damage, `pawl recover --salvage OUT DIR` copies every event that can "
                   "be read.";
        case errc::locked:
            return "Only the writer itself can change its journal; info, verify, dump and tail "
                   "work beside it.";
        case errc::newer_format:
            return "Use the version of Pawl that wrote it, or a later one.";
        case errc::pruned:
            return "Begin at the sequence that is named, or restore from a snapshot.";
        case errc::rewound:
            return "A recovery cut events that were shown here. Start again.";
        default:
            return {};
    }
}

}  // namespace

exit_code exit_code_of(errc code) {
    switch (code) {
        case errc::locked:
        case errc::not_a_journal:
        case errc::newer_format:
        case errc::network_file_system:
        case errc::foreign_owner:
        case errc::io:
        case errc::no_descriptors:
        case errc::disk_full:
        case errc::out_of_memory:
            return unreadable;
        default:
            return failure;
    }
}

bool put(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return std::ferror(stdout) == 0;
}

void put_json(const nlohmann::ordered_json& value) {
    put(value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n');
}

exit_code finish_output(exit_code code) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)
        return code;
    complain(fmt::format("standard output: {}", std::strerror(errno)));
    return failure;
}

void complain(std::string_view text) {
    // Flush first, so that the order is kept if both streams go to one file.
    std::fflush(stdout);
    const std::string line = fmt::format("pawl: {}\n", text);
    std::fwrite(line.data(), 1, line.size(), stderr);
}

exit_code complain(const error& what) {
    complain(what.message());
    if (const std::string_view sentence = advice(what.code); !sentence.empty())
        complain(sentence);
    return exit_code_of(what.code);
}

nlohmann::ordered_json error_json(const error& what) {
    nlohmann::ordered_json json{{"code", to_string(what.code)}, {"message", what.message()}};
    if (!what.file.empty())
        json["file"] = what.file;
    if (what.offset != no_value)
        json["offset"] = what.offset;
    if (what.sequence != no_value)
        json["sequence"] = what.sequence;
    if (what.os_error != 0)
        json["os_error"] = what.os_error;
    if (!what.detail.empty())
        json["detail"] = what.detail;
    return json;
}

std::string id_text(const journal_id& id) {
    return fmt::format("{:02x}", fmt::join(id, ""));
}

std::string counted(std::uint64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string segment_file(std::uint64_t ordinal) {
    return fmt::format("{:010}.seg", ordinal);
}

std::string index_file(std::uint64_t ordinal) {
    return fmt::format("{:010}.idx", ordinal);
}

std::string owner_text(std::string owner) {
    constexpr std::string_view boot = ", boot ";
    if (const std::size_t at = owner.find(boot); at != std::string::npos)
        owner.replace(at, 2, ",\n           ");
    return owner;
}

std::string time_text(std::uint64_t nanoseconds) {
    constexpr std::uint64_t second = 1'000'000'000;
    const auto seconds = static_cast<std::time_t>(nanoseconds / second);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z", fmt::gmtime(seconds), nanoseconds % second);
}

}  // namespace pawl::cli
