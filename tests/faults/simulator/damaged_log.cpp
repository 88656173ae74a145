#include "damaged_log.hpp"

#include "controlled_process.hpp"
#include "event_oracle.hpp"
#include "format/segment_walk.hpp"
#include "store/directory.hpp"
#include "store/segment_file.hpp"
#include "writer_life.hpp"

#include <pawl/journal/writer.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <utility>

namespace pawl::test {

namespace {

template <class Value>
Value must_be(result<Value> outcome) {
    if (!outcome) {
        std::fprintf(stderr, "making a journal: %s\n", outcome.error().message().c_str());
        std::_Exit(1);
    }
    if constexpr (!std::is_void_v<Value>)
        return std::move(*outcome);
}

class log_maker {
  public:
    explicit log_maker(const log_plan& plan) : plan_{plan}, random_{plan.seed} {
        // Another life has other payloads.
        for (std::uint64_t i = 0; i < 1000 * plan.life; ++i)
            (void)oracle_.make(0, 0);
    }

    [[nodiscard]] log_to_damage make() {
        const controlled_process controlled{detail::mix64(plan_.seed) + plan_.life};
        memory_files::clear(plan_.directory);
        const std::uint64_t lives = 1 + random_() % 3;
        for (std::uint64_t i = 1; i <= lives; ++i)
            live(i == lives);
        list_records();
        return std::move(log_);
    }

  private:
    void live(bool last) {
        auto log = must_be(writer::open(plan_.directory, life_options()));
        for (std::uint64_t left = 10 + random_() % 40; left != 0; --left)
            step(log);
        if (!last && random_() % 2 == 0) {
            must_be(log.close());
            return;
        }
        if (random_() % 2 == 0)
            must_be(log.poll());
        log_.durable = must_be(log.sync());
        if (random_() % 2 == 0) {
            (void)must_be(append(log, oracle_.make(8, 1)));
        } else {
            // No frame follows: after a while, the control file is the witness.
            for (int i = 0; i < 3; ++i) {
                controlled_process::advance_us(5000);
                must_be(log.poll());
            }
        }
    }

    void step(writer& log) {
        const std::uint64_t what = random_() % 10;
        const auto bytes = static_cast<std::uint32_t>(random_() % 200);
        const auto stream = static_cast<std::uint16_t>(random_() % 3);
        if (what < 6) {
            (void)must_be(append(log, oracle_.make(bytes, stream)));
        } else if (what == 6) {
            auto batch = must_be(log.begin_batch(3, std::size_t{3} * bytes));
            for (int i = 0; i < 3; ++i) {
                const auto event = oracle_.make(bytes, stream);
                (void)must_be(
                    batch.append({.type = event.type, .stream = event.stream, .timestamp_ns = 1},
                                 event_oracle::payload(event)));
            }
            (void)must_be(batch.commit());
        } else if (what == 7) {
            (void)must_be(log.stream("name " + std::to_string(random_() % 5)));
        } else if (what == 8) {
            constexpr std::uint32_t quarter = 14'000;
            (void)must_be(log.poll());
            (void)must_be(append(log, oracle_.make(quarter, stream)));
        } else {
            (void)must_be(log.sync());
        }
    }

    void list_records() {
        const std::filesystem::path directory{plan_.directory};
        log_.directory = plan_.directory;
        const auto id = detail::id_of(must_be(detail::read_identity(directory)));
        sequence_number next = 0;
        for (const std::uint64_t ordinal : must_be(detail::list_segments(directory))) {
            const auto segment = must_be(detail::open_segment(directory, id, ordinal));
            const detail::frame_space space{segment.bytes.data(), segment.bytes.size(),
                                            segment.header.epoch};
            std::uint64_t batch = 0;
            log_record record{.file = detail::segment_path(directory, ordinal).string()};
            record.sealed = std::filesystem::exists(detail::index_path(directory, ordinal));
            const auto add = [&](std::uint64_t offset, detail::commit_word word) {
                record.offset = offset;
                record.bytes = detail::padded(word.frame_bytes());
                record.sequence =
                    detail::load_u64(space.base + offset + detail::frame_offset::sequence);
                if ((word.flags() & (detail::flag::batch_middle | detail::flag::batch_last)) == 0)
                    batch = offset;
                record.batch_offset = batch;
                if (record.sequence < log_.durable)
                    log_.records.push_back(record);
            };
            const auto end = detail::walk_segment(space, {.sequence = next}, add);
            if (end.ended())
                add(end.offset, detail::commit_word{detail::load_u64(space.base + end.offset)});
            next = end.sequence;
        }
    }

    log_plan plan_;
    std::mt19937_64 random_;
    event_oracle oracle_;
    log_to_damage log_;
};

}  // namespace

log_to_damage make_log_to_damage(const log_plan& plan) {
    return log_maker{plan}.make();
}

}  // namespace pawl::test
