#include "struck_writer.hpp"

#include "failure_text.hpp"
#include "recorded_history.hpp"
#include "scratch_files.hpp"

#include <fmt/core.h>
#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <optional>

namespace pawl::test {

namespace {

// A failing disk is no reason to report the journal as damaged, or as anything else.
[[nodiscard]] bool may_be_said(errc code) noexcept {
    return code == errc::io || code == errc::poisoned || code == errc::disk_full ||
           code == errc::back_pressure;
}

class struck_writer {
  public:
    struct surroundings {
        const std::filesystem::path& directory;
        recorded_disk& disk;
        struck_record& record;
        const struck_plan& plan;
    };

    struct place {
        std::uint64_t seed = 0;
        bool first = false;
    };

    struck_writer(const surroundings& around, place at) : around_{around}, at_{at} {}

    [[nodiscard]] std::string work() {
        auto options = small_options(around_.plan.sync, around_.plan.background);
        auto opened = writer::open(around_.directory, options);
        if (!opened)
            return not_opened(opened.error());
        log_.emplace(std::move(*opened));
        if (around_.disk.refused() != 0)
            ++around_.record.sums.reopened;
        for (const std::string& notice : log_->recovery().notices)
            around_.record.sums.past_the_cache +=
                notice.ends_with("bypassing the page cache") ? 1U : 0U;
        if (log_->next_sequence() < around_.record.told.needed_at(0))
            return fmt::format("lost on the mounted file system: continues at {} of {}",
                               log_->next_sequence(), around_.record.told.needed_at(0));
        around_.record.begin_life(log_->next_sequence(), at_.seed);
        source_.emplace(around_.record.lives().source());
        note_durable();
        append_and_sync();
        if (wrong_.empty() && !ended_)
            finish();
        return wrong_;
    }

  private:
    [[nodiscard]] std::string not_opened(const error& why) {
        ++around_.record.sums.refused;
        return may_be_said(why.code) ? "" : "open fails with " + why.message();
    }

    void append_and_sync() {
        for (std::uint64_t i = 0; at_.first && i < around_.plan.units_before && !over(); ++i)
            append();
        if (at_.first && !over())
            make_durable();
        if (at_.first)
            around_.disk.refuse(around_.plan.refusal);
        for (std::uint64_t i = 1; i <= around_.plan.units_after && !over(); ++i) {
            append();
            if (!over() && i % around_.plan.sync_every == 0)
                make_durable();
        }
    }

    // If something is wrong or a sync has failed, check that at once.
    [[nodiscard]] bool over() {
        if (wrong_.empty() && !ended_ && log_->failure())
            after_a_failed_sync();
        return ended_ || !wrong_.empty();
    }

    void append() {
        const sequence_number next = log_->next_sequence();
        if (!around_.record.told.publishing(next + source_->unit_at(next).events, 0)) {
            wrong_ = "no room for more acknowledgements";
            return;
        }
        auto placed = source_->append_unit(*log_);
        if (!placed)
            heed(placed.error(), "append");
        // Without threads of its own the writer does its other work here.
        if (!around_.plan.background) {
            if (auto polled = log_->poll(); !polled)
                heed(polled.error(), "poll");
        }
        note_durable();
    }

    // Only some errors come from the disk. They end the writer's work, except for a brief lack of
    // disk space.
    void heed(const error& why, const char* call) {
        if (!may_be_said(why.code))
            wrong_ = fmt::format("{} fails with {}", call, failure_text(*log_, why));
        else if (why.code != errc::back_pressure && !log_->failure())
            ended_ = true;
    }

    void make_durable() {
        const sequence_number published = log_->published();
        const bool by_itself = around_.plan.sync.interval_us != 0;
        auto synced =
            by_itself && published != 0 ? log_->wait_durable(published - 1) : log_->sync();
        if (synced && *synced < published)
            wrong_ = fmt::format("synced only {} of {}", *synced, published);
        else if (!synced && !log_->failure())
            wrong_ = "a failed sync does not poison the writer: " + synced.error().message();
        else
            note_durable();
    }

    // After the first failure, nothing more may be acknowledged, however often a sync is requested.
    void after_a_failed_sync() {
        ended_ = true;
        ++around_.record.sums.poisoned;
        const sequence_number durable = log_->durable();
        const sequence_number published = log_->published();
        note_durable();
        for (int i = 0; i < 3 && wrong_.empty(); ++i) {
            if (log_->append({.type = 1}, {}))
                wrong_ = "an append succeeds after a failed sync";
            else if (log_->sync())
                wrong_ = "a sync succeeds after a failed one";
            else if (published > durable && log_->wait_durable(durable))
                wrong_ = "an event becomes durable after a failed sync";
            else if (log_->durable() != durable)
                wrong_ = fmt::format("the watermark moves from {} to {} after a failed sync",
                                     durable, log_->durable());
        }
        if (wrong_.empty() && around_.plan.closes && log_->close())
            wrong_ = "a close succeeds after a failed sync";
    }

    void finish() {
        make_durable();
        if (over() || !around_.plan.closes)
            return;
        const sequence_number all = log_->published();
        if (auto closed = log_->close(); closed)
            note(all);
        else
            heed(closed.error(), "close");
    }

    void note_durable() { note(log_->durable()); }
    void note(sequence_number durable) {
        if (durable > noted_ && !around_.record.told.durable(durable, 0))
            wrong_ = "no room for more acknowledgements";
        noted_ = std::max(noted_, durable);
    }

    const surroundings& around_;
    place at_;
    std::optional<writer> log_;
    std::optional<generated_log> source_;
    sequence_number noted_ = 0;
    bool ended_ = false;
    std::string wrong_;
};

}  // namespace

struck_record& struck_record::shared() {
    void* at = ::mmap(nullptr, sizeof(struck_record), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        give_up("shared memory");
    return *new (at) struck_record{};
}

void struck_record::reset() noexcept {
    told.reset(0);
    lives_used_ = 0;
}

void struck_record::begin_life(sequence_number first, std::uint64_t seed) noexcept {
    lives_[lives_used_++ % lives_.size()] = {.first = first, .seed = seed};
}

log_lives struck_record::lives() const {
    log_lives all;
    for (std::size_t i = 0; i < lives_used_; ++i)
        all.begin(lives_[i].first, lives_[i].seed);
    return all;
}

std::string write_while_struck(const std::filesystem::path& directory, recorded_disk& disk,
                               struck_record& record, const struck_plan& plan, std::uint64_t seed) {
    const struck_writer::surroundings around{directory, disk, record, plan};
    for (std::uint64_t i = 0; i < plan.openings; ++i) {
        const bool first = i == 0 && (plan.refusal.writes || plan.refusal.flushes);
        struck_writer one{around, {.seed = draw(seed, i), .first = first}};
        if (auto wrong = one.work(); !wrong.empty())
            return wrong;
    }
    return {};
}

}  // namespace pawl::test
