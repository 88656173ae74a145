// Row 7: rot is always found. Every bit of a sealed segment, of an index and of the file of stream
// heads is flipped, and every sector zeroed, one at a time; verify must name the file and the
// place, and a cursor must return the right events up to the damage and then its error, or all of
// them.
#include "format/segment_walk.hpp"
#include "store/directory.hpp"
#include "support/failure_text.hpp"
#include "support/generated_log.hpp"
#include "support/row_program.hpp"
#include "support/target_file.hpp"

#include <fmt/core.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t sector_bytes = 512;

// Where the log is damaged, and which is the first event that cannot be read because of that.
struct place {
    std::uint64_t offset = no_value;
    sequence_number sequence = no_value;
};

struct frame_at {
    std::uint64_t begin;
    std::uint64_t end;
    place blamed;  // its batch's first frame, or the place itself
};

[[nodiscard]] std::vector<frame_at> frames_of(std::span<const std::byte> segment) {
    std::vector<frame_at> frames;
    std::uint64_t offset = detail::first_frame_offset;
    place batch;
    for (;;) {
        const detail::commit_word word{detail::load_u64(segment.data() + offset)};
        const std::uint64_t end = offset + detail::padded(word.frame_bytes());
        const auto sequence =
            detail::load_u64(segment.data() + offset + detail::frame_offset::sequence);
        const auto part = word.flags() & detail::flag::batch_mask;
        if (part == 0 || part == detail::flag::batch_first)
            batch = {offset, sequence};
        frames.push_back({offset, end, batch});
        if (word.is_system() && word.type() <= static_cast<std::uint16_t>(detail::system_type::cut))
            return frames;
        offset = end;
    }
}

enum class part : std::uint8_t { segment, index, heads };

// Numbered as in --file.
[[nodiscard]] part kind_of(std::uint64_t number) noexcept {
    return number == 3 ? part::index : number == 4 ? part::heads : part::segment;
}

// One change to one file: a bit flipped or a sector zeroed.
struct change {
    std::uint64_t first = 0;  // first byte that differs
    std::uint64_t last = 0;   // last such byte
};

class rotten {
  public:
    rotten(row_program& program, fs::path directory, std::uint64_t log_seed)
        : program_{program}, directory_{std::move(directory)}, log_seed_{log_seed} {}

    // Flips every step-th bit of a file, from the given one on, and zeroes its sectors.
    void spoil(const fs::path& path, std::uint64_t number, std::uint64_t first_bit,
               std::uint64_t step) {
        target_file target{path};
        if (!target.usable()) {
            program_.failure("", "cannot map " + path.string());
            return;
        }
        number_ = number;
        kind_ = kind_of(number);
        original_.assign(target.bytes().begin(), target.bytes().end());
        frames_.clear();
        if (kind_ == part::segment)
            frames_ = frames_of(original_);
        const std::string name = path.filename().string();
        for (std::uint64_t bit = first_bit; bit < target.bytes().size() * 8 && few(); bit += step) {
            target.flip(bit);
            judge(target, {bit / 8, bit / 8}, fmt::format("bit {} of {}", bit, name),
                  alone(bit, target.bytes().size() * 8));
            target.flip(bit);
        }
        for (std::uint64_t at = 0; at < target.bytes().size() && few(); at += sector_bytes)
            zero_sector(target, at, name);
    }

    // Flips every single bit of a segment's frames, checked in memory as recovery and verify do.
    void spoil_in_memory(const fs::path& path) {
        target_file target{path};
        if (!target.usable()) {
            program_.failure("", "cannot map " + path.string());
            return;
        }
        std::vector<std::byte> copy(target.bytes().begin(), target.bytes().end());
        frames_ = frames_of(copy);
        detail::segment_header header{};
        std::memcpy(&header, copy.data(), sizeof header);
        const detail::frame_space space{copy.data(), copy.size(), header.epoch};
        check_places(space);
        const sequence_number first = frames_.front().blamed.sequence;
        for (std::uint64_t bit = detail::first_frame_offset * 8;
             bit < frames_.back().end * 8 && few(); ++bit) {
            const std::byte mask{static_cast<unsigned char>(1U << bit % 8)};
            copy[bit / 8] ^= mask;
            const auto end = detail::walk_segment(space, {.sequence = first},
                                                  [](std::uint64_t, detail::commit_word) {});
            copy[bit / 8] ^= mask;
            program_.count();
            const place expected = expected_place({bit / 8, bit / 8});
            if (end.ended() || end.offset != expected.offset || end.sequence != expected.sequence)
                fail(fmt::format("bit {} of {} in memory", bit, path.filename().string()),
                     "UNDETECTED or misplaced", fmt::format("--file 5 --seed {}", program_.seed()));
        }
    }

    [[nodiscard]] std::uint64_t cursors_stopped() const noexcept { return stopped_; }

  private:
    [[nodiscard]] bool few() const noexcept { return failures_ < 5; }

    // A frame at another offset, or in a segment with another epoch, has no valid hash: each bit of
    // offset and epoch counts.
    void check_places(const detail::frame_space& space) {
        for (const frame_at& frame : frames_) {
            const std::byte* at = space.base + frame.begin;
            for (int bit = 0; bit < 64 && few(); ++bit) {
                const std::uint64_t other = std::uint64_t{1} << bit;
                const auto matches = [&](std::uint64_t epoch, std::uint64_t offset) {
                    program_.count();
                    return detail::frame_hash(at, frame.end - frame.begin, epoch, offset,
                                              detail::load_u64(at)) ==
                           detail::load_u64(at + detail::frame_offset::hash);
                };
                if (matches(space.epoch ^ other, frame.begin) ||
                    matches(space.epoch, frame.begin ^ other))
                    fail(fmt::format("bit {} of offset and epoch of the frame at {}", bit,
                                     frame.begin),
                         "UNDETECTED", fmt::format("--file 5 --seed {}", program_.seed()));
            }
        }
    }

    // The arguments for one bit and the sectors of the current file; for a bit after its end, only
    // the sectors.
    [[nodiscard]] std::string alone(std::uint64_t bit, std::uint64_t step) const {
        return fmt::format("--file {} --first-bit {} --step {} --count 1", number_, bit, step);
    }

    void zero_sector(target_file& target, std::uint64_t at, const std::string& name) {
        const auto sector = target.bytes().subspan(
            at, std::min<std::size_t>(sector_bytes, target.bytes().size() - at));
        const auto is_set = [](std::byte b) { return b != std::byte{0}; };
        const auto first = std::ranges::find_if(sector, is_set);
        if (first == sector.end())
            return;  // zeroing it changes nothing
        const auto last = std::find_if(sector.rbegin(), sector.rend(), is_set);
        const change what{at + static_cast<std::uint64_t>(first - sector.begin()),
                          at + static_cast<std::uint64_t>(sector.rend() - last) - 1};
        std::memset(sector.data(), 0, sector.size());
        judge(target, what, fmt::format("sector at byte {} of {} zeroed", at, name),
              alone(target.bytes().size() * 8, 1));
        std::memcpy(sector.data(), original_.data() + at, sector.size());
    }

    void fail(const std::string& what, const std::string& wrong, const std::string& repeat) {
        ++failures_;
        program_.failure(repeat, what + ": " + wrong);
    }

    void judge(const target_file& target, const change& changed, const std::string& what,
               const std::string& repeat) {
        program_.count();
        const place expected = kind_ == part::segment ? expected_place(changed) : place{};
        if (auto wrong = check_verify(target.path(), changed, expected); !wrong.empty())
            fail(what, wrong, repeat);
        if (auto wrong = check_cursor(target.path(), expected, {}); !wrong.empty())
            fail(what, wrong, repeat);
        if (kind_ != part::index)
            return;
        if (auto wrong = check_stream_cursor(); !wrong.empty())
            fail(what, wrong, repeat);
    }

    // The frame in which the change lies; nullopt if it lies outside the log.
    [[nodiscard]] place expected_place(const change& changed) const {
        const auto frame = std::ranges::upper_bound(frames_, changed.first, {}, &frame_at::end);
        if (frame == frames_.end() || changed.last < frame->begin)
            return {};
        return frame->blamed;
    }

    [[nodiscard]] std::string check_verify(const fs::path& path, const change& changed,
                                           const place& expected) const {
        const auto report = verify(directory_);
        if (!report)
            return "verify failed: " + report.error().message();
        if (report->findings.empty())
            return "UNDETECTED by verify";
        for (const finding& found : report->findings) {
            if (found.what.file != path.string())
                continue;
            if (kind_ != part::segment)
                return {};
            if (expected.offset != no_value) {
                if (found.damage && found.what.offset == expected.offset &&
                    found.what.sequence == expected.sequence)
                    return {};
                continue;
            }
            // Header copies are reported by where they begin, everything else by the byte.
            const bool named = found.what.offset == changed.first ||
                               found.what.offset == changed.first / 4096 * 4096;
            if (named && found.what.sequence != no_value)
                return {};
        }
        return fmt::format("verify reports another place than byte {}, sequence {}: {}",
                           expected.offset, expected.sequence,
                           report->findings.front().what.message());
    }

    [[nodiscard]] std::string check_cursor(const fs::path& path, const place& expected,
                                           cursor_options options) {
        auto events = cursor::open(directory_, options);
        if (!events)
            return "a cursor cannot be opened: " + events.error().message();
        generated_log_check check{generated_log{log_seed_}};
        while (const event* e = events->next()) {
            if (auto wrong = check.check(*e); !wrong.empty())
                return "WRONG EVENT: " + wrong;
        }
        const auto end = events->finish();
        if (expected.offset == no_value) {
            if (!end)
                return "cursor stopped without damage: " + end.error().message();
            return check.next_sequence() == whole_ ? "" : "cursor ended early";
        }
        if (end)
            return "cursor reported damage as the end";
        ++stopped_;
        const error& why = end.error();
        if (why.code != errc::damaged || why.file != path.string() ||
            why.offset != expected.offset || why.sequence != expected.sequence)
            return "cursor's error names another place: " + why.message();
        return check.next_sequence() == expected.sequence ? "" : "cursor stopped early";
    }

    // What an index provides must be right without it, too.
    [[nodiscard]] std::string check_stream_cursor() const {
        constexpr stream_id wanted = 5;
        auto events = cursor::open(directory_, {.stream = wanted});
        if (!events)
            return "a stream cursor cannot be opened: " + events.error().message();
        stream_version version = 0;
        while (const event* e = events->next()) {
            if (e->stream() != wanted || e->version() != ++version)
                return "stream cursor returns a wrong event";
        }
        if (auto end = events->finish(); !end)
            return "stream cursor: " + end.error().message();
        if (version != stream_events_)
            return "stream cursor ended early";
        const sequence_number middle = whole_ / 2;
        auto from = cursor::open(directory_, {.from = from_sequence{middle}});
        if (!from)
            return "cursor from a sequence: " + from.error().message();
        const event* e = from->next();
        return e != nullptr && e->sequence() == middle ? "" : "cursor begins elsewhere";
    }

  public:
    // Reads the whole journal before it is damaged, to know what must be read later.
    [[nodiscard]] std::string learn() {
        auto events = cursor::open(directory_);
        if (!events)
            return events.error().message();
        while (const event* e = events->next()) {
            whole_ = e->sequence() + 1;
            stream_events_ += e->stream() == 5 ? 1U : 0U;
        }
        return check_cursor({}, {}, {});
    }

  private:
    row_program& program_;
    fs::path directory_;
    std::uint64_t log_seed_;
    std::uint64_t number_ = 0;  // of the current file, as in --file
    part kind_ = part::segment;
    std::vector<std::byte> original_;
    std::vector<frame_at> frames_;
    std::uint64_t failures_ = 0;
    std::uint64_t stopped_ = 0;
    sequence_number whole_ = 0;
    std::uint64_t stream_events_ = 0;
};

// A closed journal of a full, rolled segment and a short last one.
[[nodiscard]] std::string write_journal(const fs::path& directory, std::uint64_t log_seed) {
    writer_options options;
    options.segment_bytes = std::uint64_t{64} << 10;
    options.sync = sync_policy::manual();
    options.scrub_bytes_per_second = 0;
    auto log = writer::open(directory, options);
    if (!log)
        return log.error().message();
    generated_log source{log_seed};
    const auto append = [&]() -> std::string {
        auto placed = source.append_unit(*log);
        return placed ? std::string{} : failure_text(*log, placed.error());
    };
    while (log->statistics().rollovers < 1) {
        if (auto wrong = append(); !wrong.empty())
            return wrong;
    }
    for (int units = 0; units < 20; ++units) {
        if (auto wrong = append(); !wrong.empty())
            return wrong;
    }
    auto closed = log->close();
    return closed ? std::string{} : failure_text(*log, closed.error());
}

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 7, .name = "bit_rot", .counted = "changes"}, argc, argv};
    const bool whole = program.mode() == row_mode::full;
    const std::uint64_t seed = program.seed();
    const std::uint64_t usual_step = program.mode() == row_mode::quick ? 1009 : whole ? 1 : 37;
    const std::uint64_t step = program.option("--step", usual_step);
    const std::uint64_t first_bit = program.option("--first-bit", draw(seed, 1) % step);
    // The files to damage: 0 all, 1 the rolled segment, 2 the closed one, 3 index, 4 heads; 5 the
    // rolled segment in memory.
    const std::uint64_t only = program.option("--file", 0);
    program.target({.quick = 400'000, .ci = 450'000, .full = 1'500'000});
    const auto directory = program.directory() / "journal";
    if (auto wrong = write_journal(directory, draw(seed, 2)); !wrong.empty()) {
        program.failure("", wrong);
        return program.finish();
    }
    rotten rot{program, directory, draw(seed, 2)};
    if (auto wrong = rot.learn(); !wrong.empty()) {
        program.failure("", "the journal is wrong before it is damaged: " + wrong);
        return program.finish();
    }
    const bool usual = step == usual_step;
    const std::uint64_t every_index_bit = program.mode() == row_mode::quick ? 8 : 1;
    const auto wants = [&](std::uint64_t file) { return only == 0 || only == file; };
    if (wants(1))
        rot.spoil(detail::segment_path(directory, 0), 1, first_bit, step);
    if (wants(2))
        rot.spoil(detail::segment_path(directory, 1), 2, first_bit, step);
    if (wants(3))
        rot.spoil(detail::index_path(directory, 0), 3, usual ? first_bit % 8 : first_bit,
                  usual ? every_index_bit : step);
    if (wants(4))
        rot.spoil(detail::heads_path(directory), 4, first_bit, step);
    if (wants(5))
        rot.spoil_in_memory(detail::segment_path(directory, 0));
    program.detail(
        fmt::format("{} changes stopped a cursor, at the right place", rot.cursors_stopped()));
    return program.finish();
}
