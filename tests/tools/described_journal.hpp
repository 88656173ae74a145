// A journal of the exchange's events that describes them, with chosen times.
#pragma once

#include "cli_support.hpp"

#include <events.hpp>
#include <events_bfbs.hpp>

#include <pawl/codec/encoder.hpp>
#include <pawl/codec/registration.hpp>
#include <pawl/codec/utc_time.hpp>

#include <cstdint>
#include <string>

namespace pawl::test {

using exchange_events = event_list<exchange::accepted, exchange::filled, exchange::rejected>;

class described_journal {
  public:
    described_journal() : log_{open()} {
        must(register_events<exchange_events>(log_, events_bfbs(), at("2026-11-23T09:00")));
    }

    [[nodiscard]] static std::uint64_t at(std::string_view time) { return *parse_utc(time); }
    [[nodiscard]] std::string directory() const { return home_.path() / "orders"; }
    [[nodiscard]] std::string sibling(const std::string& name) const { return home_.path() / name; }
    [[nodiscard]] writer& log() { return log_; }

    stream_id stream(std::string_view name, std::string_view time) {
        return must(log_.stream(name, at(time)));
    }
    void accept(std::string_view time, stream_id stream, std::uint64_t command,
                std::int64_t price) {
        must(encode_.append(log_, {.stream = stream, .timestamp_ns = at(time)}, [&](auto& b) {
            return exchange::Createaccepted(b, command, 1, exchange::side::sell, false, price, 10);
        }));
    }
    void fill(std::string_view time, stream_id stream, std::uint64_t command, std::int64_t price) {
        must(encode_.append(log_, {.stream = stream, .timestamp_ns = at(time)}, [&](auto& b) {
            return exchange::Createfilled(b, command, 7, command, 1, exchange::side::buy, price, 3);
        }));
    }
    void append(std::string_view time, std::uint16_t type, std::string_view payload) {
        must(log_.append({.type = type, .schema_version = 1, .timestamp_ns = at(time)},
                         bytes_of(payload)));
    }
    void close() { must(log_.close()); }

    // The sequences that `pawl dump` with these options shows.
    [[nodiscard]] std::vector<std::uint64_t> dumped(std::vector<std::string> options) const {
        options.insert(options.begin(), {"dump", directory()});
        const finished_process done = run_pawl(options);
        if (done.exit_code != 0)
            throw std::runtime_error(done.err);
        std::vector<std::uint64_t> sequences;
        for (const nlohmann::json& line : json_lines(done.out))
            sequences.push_back(line["sequence"]);
        return sequences;
    }

  private:
    [[nodiscard]] writer open() const {
        return must(writer::open(directory(), {.segment_bytes = 64 << 10,
                                               .sync = sync_policy::manual(),
                                               .clock = clock_source::caller,
                                               .full = when_full::fail,
                                               .background_threads = false}));
    }

    temporary_directory home_;
    writer log_;
    encoder encode_;
};

}  // namespace pawl::test
