// Row 17: a relay has no gap, duplicate or swap. Three servers hold the stream,
// replicated three times, in files. While a journal is written and relayed, the
// leader, the relay and another server are killed one after the other, each
// only once the stream is healthy again. At the end the stream holds each event
// exactly once and in order, and a journal restored from it has the same
// digest.
//
// Servers die by SIGKILL; what a loss of power does to this version of the
// server is not claimed.
#include "support/bound_process.hpp"
#include "support/generated_log.hpp"
#include "support/nats_server.hpp"
#include "support/row_program.hpp"

#include <fmt/format.h>
#include <relay/copy_stream.hpp>
#include <relay/nats_source.hpp>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/log_digest.hpp>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace pawl;
using namespace pawl::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr auto patience = 30s;
constexpr auto settling = 1500ms;

// The servers did not become healthy again, of which no relay can make anything.
struct servers_are_stuck : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <class Value>
Value must(result<Value> value) {
    if (!value)
        throw std::runtime_error(value.error().message());
    if constexpr (!std::is_void_v<Value>)
        return std::move(*value);
}

[[nodiscard]] std::string last_line_of(const std::filesystem::path& file) {
    std::ifstream from{file};
    std::string last;
    for (std::string line; std::getline(from, line);)
        last = line;
    return last;
}

void wait_until(const char* what, const std::function<bool()>& holds) {
    const auto limit = steady_clock::now() + patience;
    while (!holds()) {
        if (steady_clock::now() > limit)
            throw std::runtime_error(fmt::format("waited {} s for {}", patience.count(), what));
        std::this_thread::sleep_for(10ms);
    }
}

// Three servers.
class cluster {
  public:
    static constexpr std::size_t nodes = 3;

    cluster() {
        std::string routes;
        std::array<std::uint16_t, nodes> ports{};
        for (std::uint16_t& port : ports) {
            port = free_port();
            routes += fmt::format("nats-route://127.0.0.1:{}, ", port);
        }
        for (std::size_t i = 0; i < nodes; ++i)
            servers_[i] = std::make_unique<nats_server>(nats_server::settings{
                .name = name_of(i),
                .more = fmt::format("cluster {{ name: pawl, listen: \"127.0.0.1:{}\", "
                                    "routes: [{}] }}",
                                    ports[i], routes)});
        for (const auto& each : servers_)
            each->start();
    }

    [[nodiscard]] std::string urls() const {
        return fmt::format("{},{},{}", servers_[0]->url(), servers_[1]->url(), servers_[2]->url());
    }
    [[nodiscard]] relay::nats_options options() const {
        return {.servers = {servers_[0]->url(), servers_[1]->url(), servers_[2]->url()},
                .stream = "ROW"};
    }

    // The number of the leader's server, once every replica has everything.
    [[nodiscard]] std::size_t healthy_leader() const {
        std::size_t leader = nodes;
        try {
            // A leader takes a moment to notice what was killed, or started again.
            auto since = steady_clock::now();
            wait_until("a healthy stream", [&] {
                const std::size_t now = leader_if_healthy();
                if (now == nodes || now != leader)
                    since = steady_clock::now();
                leader = now;
                return steady_clock::now() - since > settling;
            });
        } catch (const std::exception& why) {
            throw servers_are_stuck{why.what()};
        }
        return leader;
    }
    [[nodiscard]] bool is_healthy() const { return leader_if_healthy() != nodes; }
    // Until a stream with three replicas can be made.
    void wait_for_quorum() const {
        wait_until("a cluster that makes streams", [&] {
            jsStreamConfig config;
            jsStreamConfig_Init(&config);
            config.Name = "PROBE";
            config.Replicas = nodes;
            return with_context([&](jsCtx* context) {
                       return js_AddStream(nullptr, context, &config, nullptr, nullptr);
                   }) == NATS_OK;
        });
    }
    void kill(std::size_t node) { servers_[node]->kill(); }
    void start(std::size_t node) { servers_[node]->start(); }

  private:
    [[nodiscard]] static std::string name_of(std::size_t node) {
        return fmt::format("n{}", node + 1);
    }

    template <class Call>
    [[nodiscard]] natsStatus with_context(Call&& call) const {
        natsConnection* connection = nullptr;
        natsStatus status = natsConnection_ConnectTo(&connection, urls().c_str());
        const relay::connection_handle connected{connection};
        jsCtx* context = nullptr;
        if (status == NATS_OK)
            status = natsConnection_JetStream(&context, connection, nullptr);
        const relay::context_handle using_it{context};
        return status == NATS_OK ? call(context) : status;
    }

    [[nodiscard]] std::size_t leader_if_healthy() const {
        jsStreamInfo* raw = nullptr;
        const natsStatus status = with_context([&](jsCtx* context) {
            return js_GetStreamInfo(&raw, context, "ROW", nullptr, nullptr);
        });
        const relay::stream_info_handle info{raw};
        if (status != NATS_OK || info->Cluster == nullptr || info->Cluster->Leader == nullptr ||
            info->Cluster->ReplicasLen != static_cast<int>(nodes) - 1)
            return nodes;
        for (int i = 0; i < info->Cluster->ReplicasLen; ++i) {
            const jsPeerInfo& peer = *info->Cluster->Replicas[i];
            if (!peer.Current || peer.Offline || peer.Lag != 0)
                return nodes;
        }
        for (std::size_t i = 0; i < nodes; ++i)
            if (info->Cluster->Leader == name_of(i))
                return i;
        return nodes;
    }

    std::array<std::unique_ptr<nats_server>, nodes> servers_{};
};

class trial {
  public:
    explicit trial(row_program& program)
        : program_{program},
          random_{program.seed()},
          source_{program.seed(), {.usual = 200, .largest = 2000}},
          journal_{program.directory() / "journal"},
          log_{must(writer::open(journal_, {.segment_bytes = 16 << 20}))} {}

    void run(std::uint64_t events, std::uint64_t kills) {
        servers_.wait_for_quorum();
        start_relay();
        for (std::uint64_t i = 0; i < kills; ++i)
            strike(events * (i + 1) / (kills + 1), i);
        write_up_to(events);
        wait_until_relayed(log_.next_sequence());
        if (const int status = relay_.end_with(SIGTERM); status != 0)
            fail(fmt::format("the relay ended with {}", status));
        must(log_.close());
        compare_stream();
        compare_copy();
    }

  private:
    void fail(const std::string& what) {
        program_.failure(fmt::format("--seed {}", program_.seed()), what);
    }

    void start_relay() {
        relay_ = bound_process{{PAWL_TOOLS_DIR "/pawl", "relay", journal_, "--nats",
                                servers_.urls(), "--stream", "ROW", "--replicas", "3"},
                               program_.directory() / "relay.log"};
    }
    void write_up_to(sequence_number end) {
        while (log_.next_sequence() < end)
            must(source_.append_unit(log_));
        must(log_.sync());
    }
    [[nodiscard]] sequence_number relayed() const {
        const auto list = list_consumers(journal_);
        if (!list || list->consumers.empty())
            return 0;
        return list->consumers.front().position.point.next;
    }
    void wait_until_relayed(sequence_number end) {
        try {
            wait_until("the relay", [&] {
                if (!relay_.is_running())
                    throw std::runtime_error("the relay ended by itself");
                return relayed() >= end;
            });
        } catch (const std::exception& why) {
            const std::string what =
                fmt::format("{}; it stands at {} of {} and said: {}", why.what(), relayed(), end,
                            last_line_of(program_.directory() / "relay.log"));
            if (!servers_.is_healthy())
                throw servers_are_stuck{what};
            throw std::runtime_error(what);
        }
    }

    // Writes, and kills one of them while what was written is being relayed.
    void strike(sequence_number end, std::uint64_t turn) {
        const sequence_number begin = log_.next_sequence();
        const std::size_t leader = turn == 0 && begin == 0 ? 0 : servers_.healthy_leader();
        write_up_to(end);
        wait_until_relayed(begin + random_.below(log_.next_sequence() - begin));
        const std::size_t other = (leader + 1 + random_.below(cluster::nodes - 1)) % cluster::nodes;
        switch (turn % 3) {
            case 0:
                restart(servers_.healthy_leader());
                break;
            case 1:
                relay_.kill();
                start_relay();
                break;
            default:
                restart(other);
                break;
        }
        wait_until_relayed(log_.next_sequence());
        static_cast<void>(servers_.healthy_leader());
    }
    // The others go on meanwhile.
    void restart(std::size_t node) {
        servers_.kill(node);
        std::this_thread::sleep_for(std::chrono::milliseconds{random_.below(1000)});
        servers_.start(node);
    }

    void compare_stream() {
        auto stream = must(relay::nats_source::open(servers_.options()));
        auto events = must(cursor::open(journal_));
        must(stream.seek(0));
        while (const event* e = events.next()) {
            const auto stored = must(stream.next(patience));
            if (!stored || stored->sequence() != e->sequence() ||
                stored->content_hash() != e->content_hash()) {
                fail(fmt::format("the stream does not hold event {} in its place", e->sequence()));
                return;
            }
            program_.count();
        }
        must(events.finish());
        if (stream.end().next != events.next_sequence())
            fail(fmt::format("the stream holds {} events, the journal {}", stream.end().next,
                             events.next_sequence()));
    }
    void compare_copy() {
        const std::filesystem::path copy = program_.directory() / "copy";
        must(relay::copy_stream(
            {.nats = servers_.options(), .directory = copy, .give_up = patience}));
        if (digest_of(copy) != digest_of(journal_))
            fail("the restored journal has another digest");
    }
    [[nodiscard]] static log_digest digest_of(const std::filesystem::path& directory) {
        auto events = must(cursor::open(directory));
        log_digest sum;
        must(events.for_each([&](const event& e) { sum.add(e); }));
        return sum;
    }

    row_program& program_;
    random_source random_;
    generated_log source_;
    std::filesystem::path journal_;
    writer log_;
    cluster servers_{};
    bound_process relay_{};
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 17, .name = "relay", .counted = "relayed events"}, argc, argv};
    const std::uint64_t events = program.target({.quick = 3000, .ci = 50'000, .full = 1'000'000});
    const std::uint64_t usual = program.mode() == row_mode::quick ? 2
                                : program.mode() == row_mode::ci  ? 5
                                                                  : 20;
    const std::uint64_t kills = program.option("--kills", usual);
    if (nats_server::installed().empty()) {
        program.skip("nats-server is not installed");
        return program.finish();
    }
    try {
        trial{program}.run(events, kills);
    } catch (const servers_are_stuck& why) {
        program.skip(fmt::format("the servers did not recover from a kill: {}", why.what()));
    } catch (const std::exception& why) {
        program.failure(fmt::format("--seed {}", program.seed()), why.what());
    }
    program.detail(fmt::format("{} kills of leader, relay and another server", kills));
    return program.finish();
}
