// A journal with names, descriptions, metadata and batches, a server, and the relay between them.
#pragma once

#include "support/must.hpp"
#include "support/nats_server.hpp"
#include "support/temporary_directory.hpp"

#include <relay/copy_stream.hpp>
#include <relay/nats_sink.hpp>
#include <relay/relay.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/log_digest.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::test {

[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

class relayed_journal {
  public:
    [[nodiscard]] std::filesystem::path directory() const { return home_.path() / "orders"; }
    [[nodiscard]] std::filesystem::path sibling(const std::string& name) const {
        return home_.path() / name;
    }

    [[nodiscard]] static writer open(const std::filesystem::path& directory) {
        return must(writer::open(directory, {.segment_bytes = 64 << 10,
                                             .sync = sync_policy::manual(),
                                             .clock_report_interval_s = 0,
                                             .full = when_full::fail,
                                             .background_threads = false}));
    }
    // Appends so many units: every fifth a batch of three, some with metadata and tags, in named
    // streams and others.
    static void append(writer& log, std::uint64_t units, std::string_view text = "unit") {
        must(log.describe({3, 1, "noted", bytes_of("what it means")}));
        for (std::uint64_t i = 0; i < units; ++i) {
            const sequence_number next = log.next_sequence();
            const std::string payload = std::string{text} + " " + std::to_string(next);
            if (next % 5 == 4) {
                batch(log, payload);
            } else {
                const stream_id stream = next % 3 == 0
                                             ? must(log.stream("name " + std::to_string(next % 12)))
                                             : next % 4;
                const std::array entries{metadata_entry{metadata_tag::actor, bytes_of("Ada")}};
                event_header header{.type = 3, .schema_version = 1, .stream = stream};
                if (next % 7 == 0)
                    header.metadata = entries;
                must(log.append(header, bytes_of(payload)));
            }
            must(log.poll());
        }
        must(log.sync());
    }
    void fill(std::uint64_t units, std::string_view text = "unit") const {
        writer log = open(directory());
        append(log, units, text);
        must(log.close());
    }

    [[nodiscard]] static log_digest digest(const std::filesystem::path& directory) {
        auto events = must(cursor::open(directory));
        log_digest sum;
        must(events.for_each([&](const event& e) { sum.add(e); }));
        return sum;
    }

  private:
    static void batch(writer& log, std::string_view payload) {
        auto open = must(log.begin_batch(3, 3 * payload.size()));
        for (stream_id stream : {1u, 2u, 1u})
            must(open.append({.type = 4, .stream = stream}, bytes_of(payload)));
        must(open.commit());
    }

    temporary_directory home_;
};

// Ends a test as skipped unless there is a server to be started.
#define PAWL_NEED_NATS_SERVER()                         \
    if (pawl::test::nats_server::installed().empty()) { \
        WARN("skipped: nats-server is not installed");  \
        return;                                         \
    }

[[nodiscard]] inline relay::nats_options to_stream(const nats_server& server,
                                                   std::string stream = "ORDERS") {
    return {.servers = {server.url()}, .stream = std::move(stream)};
}

[[nodiscard]] inline relay::journal_facts facts_of(const std::filesystem::path& directory) {
    return {.origin = must(cursor::open(directory)).identity().origin, .segment_bytes = 64 << 10};
}

// Relays what is there.
[[nodiscard]] inline result<relay::relay_report> relay_once(const std::filesystem::path& directory,
                                                            const relay::nats_options& to) {
    relay::nats_sink sink{to, facts_of(directory)};
    return relay::run_relay(sink, {.directory = directory,
                                   .checkpoint = "relay",
                                   .until_end = true,
                                   .give_up = std::chrono::seconds{10}});
}

[[nodiscard]] inline relay::copy_options copy_into(const std::filesystem::path& directory,
                                                   const relay::nats_options& from) {
    return {.nats = from, .directory = directory, .give_up = std::chrono::seconds{10}};
}

}  // namespace pawl::test
