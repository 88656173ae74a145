// Row 8: whatever happens to a record below the durable watermark, opening refuses, reports the
// place, and changes nothing.
#include "format/frame_check.hpp"
#include "format/segment_layout.hpp"
#include "simulator/controlled_process.hpp"
#include "simulator/damaged_log.hpp"
#include "simulator/writer_life.hpp"
#include "support/row_program.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/frame.hpp>
#include <pawl/journal/writer.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr std::uint64_t kinds = 10;
constexpr std::uint64_t newer_frame = 9;
constexpr std::array<const char*, kinds> kind_names{
    "one bit flipped",
    "commit word zeroed",
    "frame zeroed",
    "one word replaced",
    "sector zeroed",
    "frame filled with ones",
    "stale frame",
    "all zero from there on",
    "page of another segment",
    "whole frame of a system type that must be known"};

class damager {
  public:
    damager(row_program& program, std::uint64_t journal)
        : program_{program},
          journal_{journal},
          random_{program.seed() * 1'000'003 + journal},
          log_{make_log_to_damage({random_(), 0, "/simulated/log"})} {
        random_.seed(program.seed() * 1'000'003 + journal);
        stale_ = make_log_to_damage({random_(), 1, "/simulated/stale"});
        for (const auto& entry : memory_files::list(log_.directory, true)) {
            const auto bytes = entry.file->contents();
            before_.emplace_back(entry.file, std::vector<std::byte>{bytes.begin(), bytes.end()});
        }
    }

    void run() {
        const controlled_process controlled{journal_};
        for (std::size_t i = 0; i < log_.records.size(); ++i) {
            for (std::uint64_t kind = 0; kind < kinds && program_.goes_on() && !spoilt_; ++kind)
                damage(i, kind);
        }
    }

  private:
    void damage(std::size_t index, std::uint64_t kind) {
        const log_record& record = log_.records[index];
        const memory_file_pointer file = memory_files::find(record.file);
        std::byte* base = file->bytes.data();
        change(record, kind, base);
        keep_witness(*file, record.file);
        const log_record* first = first_changed(*file, record.file);
        if (first == nullptr) {
            restore(*file);
            return;  // nothing changed
        }
        program_.count();
        wanted_ = kind == newer_frame ? errc::newer_format : errc::damaged;
        const std::string fault = judge(*first, *file);
        if (!fault.empty()) {
            program_.failure(fmt::format("--seed {} --journal {} --workers 1 --count {}",
                                         program_.seed(), journal_, program_.reached()),
                             fmt::format("{} at byte {} of {}, sequence {}: {}", kind_names[kind],
                                         record.offset, record.file, record.sequence, fault));
        }
        restore(*file);
    }

    void change(const log_record& record, std::uint64_t kind, std::byte* base) {
        std::byte* frame = base + record.offset;
        constexpr std::uint64_t sector = 512;
        constexpr std::uint64_t page = 4096;
        switch (kind) {
            case 0:
                frame[random_() % record.bytes] ^= std::byte{1} << (random_() % 8);
                return;
            case 1:
                return detail::store_u64(frame, 0);
            case 2:
                std::memset(frame, 0, record.bytes);
                return;
            case 3:
                return detail::store_u64(frame + random_() % (record.bytes / 8) * 8, random_());
            case 4:
                std::memset(base + record.offset / sector * sector, 0, sector);
                return;
            case 5:
                std::memset(frame, 0xff, record.bytes);
                return;
            case 6:
                return put_stale_frame(record, frame);
            case 7:
                std::memset(frame, 0, end_of_records(record.file) - record.offset);
                return;
            case newer_frame:
                return put_newer_frame(record, frame, base);
            default: {
                const auto& other = log_.records[random_() % log_.records.size()];
                const auto from = memory_files::find(other.file);
                const std::uint64_t at = record.offset / page * page;
                std::memmove(base + at, from->bytes.data() + at, page);
            }
        }
    }

    // The record at the same place in another life of the journal: right except for the epoch.
    void put_stale_frame(const log_record& record, std::byte* frame) const {
        const std::string name = record.file.substr(log_.directory.size());
        const auto from = memory_files::find(stale_.directory + name);
        if (from != nullptr)
            std::memcpy(frame, from->bytes.data() + record.offset, record.bytes);
    }

    // Right in length, hash and sequence, but of a must-know type that this version does not have.
    static void put_newer_frame(const log_record& record, std::byte* frame, const std::byte* base) {
        constexpr std::uint16_t type = 99;
        const detail::commit_word was{detail::load_u64(frame)};
        const detail::commit_word word{was.frame_bytes(), detail::flag::system, type, 0};
        detail::segment_header header{};
        std::memcpy(&header, base, sizeof header);
        detail::store_u64(frame, word.value());
        detail::store_u64(
            frame + detail::frame_offset::hash,
            detail::frame_hash(frame, record.bytes, header.epoch, record.offset, word.value()));
    }

    // The frame that proves the watermark lies after the records below it and is left alone:
    // without it, damage could not be told from a torn tail.
    void keep_witness(memory_file& file, const std::string& path) const {
        const std::uint64_t behind = end_of_records(path);
        const auto& bytes = kept(file);
        std::memcpy(file.bytes.data() + behind, bytes.data() + behind, bytes.size() - behind);
    }

    [[nodiscard]] std::uint64_t end_of_records(const std::string& path) const {
        std::uint64_t behind = 0;
        for (const log_record& record : log_.records) {
            if (record.file == path)
                behind = record.offset + record.bytes;
        }
        return behind;
    }

    [[nodiscard]] const std::vector<std::byte>& kept(const memory_file& file) const {
        return std::ranges::find(before_, &file, [](const auto& one) { return one.first.get(); })
            ->second;
    }

    // The first record, in order, that has changed.
    [[nodiscard]] const log_record* first_changed(const memory_file& file,
                                                  const std::string& path) const {
        const auto& bytes = kept(file);
        for (const log_record& record : log_.records) {
            if (record.file == path &&
                std::memcmp(file.bytes.data() + record.offset, bytes.data() + record.offset,
                            record.bytes) != 0) {
                return &record;
            }
        }
        return nullptr;
    }

    [[nodiscard]] std::string judge(const log_record& first, const memory_file& file) {
        auto options = life_options();
        if (first.sealed)
            options.verify = verify_at_open::all;
        const std::vector<std::byte> as_found{file.contents().begin(), file.contents().end()};
        const auto opened = writer::open(log_.directory, options);
        if (opened)
            return fmt::format("opened, and continues at {}", opened->next_sequence());
        const error& why = opened.error();
        if (why.code != wanted_)
            return "refused for another reason: " + why.message();
        if (why.file != first.file ||
            (why.offset != first.offset && why.offset != first.batch_offset)) {
            return fmt::format("wrong place: {}, but it was byte {}", why.message(), first.offset);
        }
        if (changed(file, as_found))
            return "refused, but something was changed";
        constexpr std::uint64_t read_every = 8;
        return program_.reached() % read_every == 0 ? read(first) : std::string{};
    }

    // Whether opening changed anything; `file` was damaged before.
    [[nodiscard]] bool changed(const memory_file& file,
                               const std::vector<std::byte>& as_found) const {
        return memory_files::list(log_.directory, true).size() != before_.size() ||
               std::ranges::any_of(before_, [&](const auto& one) {
                   const auto& wanted = one.first.get() == &file ? as_found : one.second;
                   return !std::ranges::equal(one.first->contents(), wanted);
               });
    }

    // A cursor stops there too.
    [[nodiscard]] std::string read(const log_record& first) const {
        auto events = cursor::open(log_.directory);
        if (!events)
            return "a cursor cannot be opened: " + events.error().message();
        while (events->next() != nullptr)
            continue;
        if (events->next_sequence() > first.sequence)
            return fmt::format("a cursor read on to {}", events->next_sequence());
        const auto end = events->finish();
        if (end || end.error().code != wanted_)
            return "a cursor reports no error";
        return {};
    }

    void restore(memory_file& file) {
        file.write(0, kept(file));
        // An open succeeded that should have failed, so the files are of no more use.
        spoilt_ = memory_files::list(log_.directory, true).size() != before_.size();
    }

    row_program& program_;
    std::uint64_t journal_;
    std::mt19937_64 random_;
    log_to_damage log_;
    log_to_damage stale_;
    std::vector<std::pair<memory_file_pointer, std::vector<std::byte>>> before_;
    errc wanted_ = errc::damaged;
    bool spoilt_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{
        {.row = 8, .name = "damaged_records", .counted = "damaged records"}, argc, argv};
    program.target({.quick = 5'000, .ci = 100'000, .full = 10'000'000});
    const std::uint64_t first = program.option("--journal", 0);
    const auto workers = static_cast<unsigned>(program.option("--workers", usual_workers()));
    const auto sums = divide_among_workers(program, workers, [&](unsigned index) {
        std::uint64_t journals = 0;
        for (std::uint64_t i = first + index; program.goes_on(); i += workers) {
            damager{program, i}.run();
            ++journals;
        }
        return worker_sums{journals};
    });
    program.detail(
        fmt::format("in {} journals; every one refused, located and left as it was", sums.front()));
    return program.finish();
}
