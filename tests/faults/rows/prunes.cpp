// Row 16: the power is lost at any call of a prune, and nothing that is needed is gone.
#include "simulator/controlled_process.hpp"
#include "simulator/memory_files.hpp"
#include "simulator/simulated_disk.hpp"
#include "store/log_begin.hpp"
#include "support/row_program.hpp"

#include <fmt/core.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/frame.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/journal/writer.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t numbered_streams = 6;

// What has to be true of the journal, whatever was pruned of it.
struct expected_log {
    sequence_number next = 0;
    std::map<stream_id, stream_version> versions;
    std::map<std::string, stream_id> names;
    std::uint64_t digest = 0;
    std::uint64_t descriptions = 0;
};

writer_options small_writer() {
    return {.segment_bytes = std::uint64_t{64} << 10,
            .sync = sync_policy::manual(),
            .clock = clock_source::caller,
            .full = when_full::fail,
            .populate_bytes = 0,
            .expected_streams = 64,
            .scrub_bytes_per_second = 0,
            .background_threads = false};
}

class prune_history {
  public:
    prune_history(std::uint64_t seed, std::uint64_t most_cuts)
        : most_cuts_{most_cuts}, random_{seed}, controlled_{seed} {
        memory_files::clear(root().native());
        fs::create_directories(root());
    }

    // Several prunes of one journal, with cuts at each call.
    void run() {
        write();
        for (int i = 0; i < 3 && going(); ++i)
            prune_once();
        detail::set_io_hook(nullptr, nullptr);
    }

    [[nodiscard]] std::uint64_t cuts() const noexcept { return cuts_; }
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

  private:
    [[nodiscard]] static fs::path root() { return fs::path{memory_root} / "1"; }
    [[nodiscard]] static fs::path directory() { return root() / "journal"; }
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
    [[nodiscard]] bool going() const { return fault_.empty() && cuts_ < most_cuts_; }
    void note(std::string what) {
        if (fault_.empty())
            fault_ = fmt::format("cut {}: {}", cuts_, what);
    }

    // Names, descriptions and some streams only at the beginning; some segments without an event.
    void write() {
        auto log = writer::open(directory(), small_writer());
        if (!log)
            return note("cannot be written: " + log.error().message());
        for (std::uint64_t i = 0; i < 3; ++i)
            append(*log, 1 + i);
        const std::uint64_t rollovers = 2 + below(5);
        while (log->statistics().rollovers < rollovers) {
            if (below(8) == 0) {
                const std::string name = fmt::format("name {}", below(12));
                if (const auto given = log->stream(name, 1))
                    expected_.names[name] = *given;
            }
            if (below(16) == 0) {
                const auto said = log->describe(
                    {static_cast<std::uint16_t>(below(3)), 0, fmt::format("{}", below(9)), {}}, 1);
                expected_.descriptions += said && *said ? 1 : 0;
            }
            append(*log, log->statistics().rollovers == 0 ? below(numbered_streams)
                                                          : 3 + below(numbered_streams - 3));
            (void)log->poll();
        }
        if (auto closed = log->close(); !closed)
            note("cannot be closed: " + closed.error().message());
        for (std::uint64_t i = below(2); i != 0; --i) {
            if (auto again = writer::open(directory(), small_writer()); again)
                (void)again->close();
        }
        expected_.digest = digest_from(directory());
    }

    void append(writer& log, stream_id stream) {
        const std::vector<std::byte> payload(below(9000));
        const auto placed = log.append({.type = 1, .stream = stream, .timestamp_ns = 1}, payload);
        if (!placed)
            return;
        ++expected_.next;
        if (stream != no_stream_id)
            expected_.versions[stream] = placed->version;
    }

    // Of what is left, and what was pruned.
    [[nodiscard]] static std::uint64_t digest_from(const fs::path& journal) {
        const auto info = inspect(journal);
        auto events = cursor::open(journal);
        if (!info || !events)
            return 0;
        const auto begin = detail::read_log_begin(journal, info->id);
        std::uint64_t sum = begin ? begin->digest : 0;
        while (const event* e = events->next())
            sum += e->names_digest() + detail::digest_term(e->content_hash());
        return sum;
    }

    void prune_once() {
        // An earlier prune may have gone further than this one would.
        before_ = std::max(below(expected_.next + 2), begins_);
        disk_.emplace(root());
        hook();
        const auto done = prune(directory(), {.before = before_});
        detail::set_io_hook(nullptr, nullptr);
        if (!done)
            return note("the prune failed: " + done.error().message());
        begins_ = done->first_sequence;
        for (int i = 0; i < 4 && going(); ++i)
            cut();
        if (auto fault = fault_of(directory()); !fault.empty())
            note(fault);
    }

    [[nodiscard]] int on_call(const detail::io_event& event) {
        using detail::io_operation;
        if (event.operation == io_operation::open || event.operation == io_operation::map ||
            event.operation == io_operation::read || event.operation == io_operation::lock)
            return 0;
        // Judging a cut makes calls of its own.
        detail::set_io_hook(nullptr, nullptr);
        for (int i = 0; i < 4 && going(); ++i)
            cut();
        hook();
        disk_->perform(event);
        return 0;
    }

    void hook() {
        detail::set_io_hook(
            [](void* self, const detail::io_event& event) {
                return static_cast<prune_history*>(self)->on_call(event);
            },
            this);
    }

    // One disk that a cut may leave now.
    void cut() {
        ++cuts_;
        const fs::path left = fs::path{memory_root} / "2";
        const std::uint64_t seed = random_();
        disk_->cut(cut_choice::from(seed), left);
        if (auto fault = fault_after(left / "journal", seed); !fault.empty())
            note(std::move(fault));
    }

    [[nodiscard]] std::string fault_after(const fs::path& journal, std::uint64_t seed) {
        if (seed % 4 == 0) {
            // Either copy alone must do.
            const char* name = seed % 8 == 0 ? "retained" : "retained.copy";
            const char* other = seed % 8 == 0 ? "retained.copy" : "retained";
            if (is_there(journal / name) && is_there(journal / other))
                damage(journal / name, seed);
        }
        // Stream heads are derived: what they say must come back from `retained` and the segments.
        if (seed / 8 % 2 == 0)
            memory_files::remove((journal / "streams").native());
        if (auto fault = fault_of(journal); !fault.empty())
            return fault;
        // The next prune does what this one did not come to.
        const auto again = prune(journal, {.before = before_});
        if (!again)
            return "pruned again: " + again.error().message();
        if (again->first_sequence > before_)
            return fmt::format("event {} was pruned, below {} was asked for",
                               again->first_sequence - 1, before_);
        const auto fault = fault_of(journal);
        return fault.empty() ? fault : "pruned again: " + fault;
    }

    [[nodiscard]] static bool is_there(const fs::path& file) {
        return memory_files::find(file.native()) != nullptr;
    }

    static void damage(const fs::path& file, std::uint64_t seed) {
        const auto bytes = memory_files::find(file.native())->contents();
        bytes[seed / 16 % bytes.size()] ^= std::byte{4};
    }

    [[nodiscard]] std::string fault_of(const fs::path& journal) const {
        if (const auto digest = digest_from(journal); digest != expected_.digest)
            return "another digest: an event or a name is missing";
        const auto said = descriptions(journal);
        if (!said || said->size() != expected_.descriptions)
            return "another number of descriptions";
        auto log = writer::open(journal, small_writer());
        if (!log)
            return "refused: " + log.error().message();
        if (log->next_sequence() != expected_.next)
            return fmt::format("goes on at {} of {}", log->next_sequence(), expected_.next);
        for (const auto& [stream, version] : expected_.versions) {
            if (log->version(stream) != version)
                return fmt::format("stream {} is at version {}, {} events were in it", stream,
                                   log->version(stream), version);
        }
        for (const auto& [name, stream] : expected_.names) {
            const auto given = log->stream(name, 1);
            if (!given || *given != stream)
                return "the name '" + name + "' has another number";
        }
        auto closed = log->close();
        return closed ? std::string{} : "cannot be closed: " + closed.error().message();
    }

    std::uint64_t most_cuts_;
    std::mt19937_64 random_;
    controlled_process controlled_;
    expected_log expected_;
    sequence_number before_ = 0;
    sequence_number begins_ = 0;  // the log, as the last prune left it
    std::optional<simulated_disk> disk_;
    std::uint64_t cuts_ = 0;
    std::string fault_;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{
        {.row = 16, .name = "prunes", .counted = "cuts inside a prune"}, argc, argv};
    const std::uint64_t first = program.option("--history", 0);
    const std::uint64_t target =
        program.target({.quick = 2'000, .ci = 100'000, .full = 10'000'000});
    std::uint64_t histories = 0;
    for (std::uint64_t i = first; program.goes_on(); ++i, ++histories) {
        prune_history history{program.seed() * 1'000'003 + i, target - program.reached()};
        history.run();
        program.count(history.cuts());
        if (!history.fault().empty())
            program.failure(fmt::format("--seed {} --history {}", program.seed(), i),
                            history.fault());
    }
    program.detail(fmt::format("{} journals", histories));
    return program.finish();
}
