// The `pawl` program and journals for it to look at.
#pragma once

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

#include <nlohmann/json.hpp>

#include <pawl/journal/writer.hpp>

#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace pawl::test {

inline const std::string program = PAWL_TOOLS_DIR "/pawl";

// Runs `pawl` with these arguments.
[[nodiscard]] inline finished_process run_pawl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program);
    return run(std::move(arguments));
}

template <class Value>
Value must(result<Value> value) {
    if (!value)
        throw std::runtime_error(value.error().message());
    if constexpr (!std::is_void_v<Value>)
        return std::move(*value);
}

[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

// A journal of small segments.
class sample_journal {
  public:
    [[nodiscard]] std::string directory() const { return home_.path() / "orders"; }
    [[nodiscard]] std::filesystem::path file(const std::string& name) const {
        return std::filesystem::path{directory()} / name;
    }

    [[nodiscard]] writer open() const {
        return must(writer::open(directory(), {.segment_bytes = 64 << 10,
                                               .sync = sync_policy::manual(),
                                               .clock_report_interval_s = 0,
                                               .full = when_full::fail,
                                               .background_threads = false}));
    }

    // Appends so many events: payload "event <sequence>", every third in stream 7.
    static void append(writer& log, std::uint64_t events) {
        for (std::uint64_t i = 0; i < events; ++i) {
            const sequence_number next = log.next_sequence();
            must(log.append({.type = 3, .schema_version = 1, .stream = next % 3 == 0 ? 7u : 0u},
                            bytes_of("event " + std::to_string(next))));
            must(log.poll());
        }
    }

    // Appends and closes.
    void fill(std::uint64_t events) const {
        writer log = open();
        append(log, events);
        must(log.close());
    }
    // Appends, syncs and leaves without closing, as a process that is killed.
    void fill_and_crash(std::uint64_t events) const {
        writer log = open();
        append(log, events);
        must(log.sync());
    }

  private:
    temporary_directory home_;
};

// Changes one bit of a file.
inline void flip_bit(const std::filesystem::path& path, std::streamoff offset) {
    std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
    file.seekg(offset);
    const auto byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(offset);
    file.put(byte);
    if (!file.flush())
        throw std::runtime_error("cannot change " + path.string());
}

[[nodiscard]] inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream from{text};
    for (std::string line; std::getline(from, line);)
        lines.push_back(line);
    return lines;
}

[[nodiscard]] inline std::vector<nlohmann::json> json_lines(const std::string& text) {
    std::vector<nlohmann::json> values;
    for (const std::string& line : lines_of(text))
        values.push_back(nlohmann::json::parse(line));
    return values;
}

[[nodiscard]] inline bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace pawl::test
