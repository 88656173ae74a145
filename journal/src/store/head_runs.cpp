#include "store/head_runs.hpp"

#include "os/assertion.hpp"
#include "store/directory.hpp"
#include "store/index_file.hpp"
#include "store/segment_index.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pawl::detail {

namespace {

using shared_run = std::shared_ptr<const head_run>;

[[nodiscard]] bool continues(const heads_header& run, const heads_header& before) noexcept {
    return run.first_ordinal == before.ordinal + 1 && run.epoch_before == before.epoch;
}

// Of several runs that continue the same one, the longest: the others were merged into it.
[[nodiscard]] const shared_run* next_of(const std::vector<shared_run>& candidates,
                                        const heads_header& before) noexcept {
    const shared_run* best = nullptr;
    for (const shared_run& each : candidates) {
        if (continues(each->header(), before) &&
            (best == nullptr || (*best)->header().ordinal < each->header().ordinal))
            best = &each;
    }
    return best;
}

[[nodiscard]] bool fits_log(const heads_header& run, const directory_handle& directory,
                            const journal_id& id, const log_begin& begin,
                            std::span<const std::uint64_t> ordinals) {
    if (begin.is_pruned() && run.ordinal + 1 == begin.ordinal)
        return run.epoch == begin.before.epoch && run.end_sequence == begin.sequence();
    if (run.ordinal < begin.ordinal || !std::ranges::binary_search(ordinals, run.ordinal))
        return false;
    const auto index = read_index_header(directory, id, run.ordinal);
    return index && index->epoch == run.epoch && index->end_sequence == run.end_sequence;
}

}  // namespace

head_runs::head_runs(std::vector<shared_run> runs) : runs_{std::move(runs)} {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
        PAWL_ASSERT(i == 0 ? runs_[i]->header().first_ordinal == 0
                           : continues(runs_[i]->header(), runs_[i - 1]->header()));
        names_ += runs_[i]->header().names;
        entries_ += runs_[i]->entries();
    }
}

std::optional<runs_end> head_runs::end() const noexcept {
    if (runs_.empty())
        return std::nullopt;
    const heads_header& last = runs_.back()->header();
    return runs_end{last.ordinal, last.epoch, last.end_sequence, last.streams_so_far};
}

bool head_runs::has_bad() const noexcept {
    return std::ranges::any_of(runs_, [](const shared_run& each) { return each->is_bad(); });
}

head_lookup head_runs::find_stream(stream_id stream, stream_head& into) const noexcept {
    for (const shared_run& run : runs_)
        run->prefetch_stream(stream);
    for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
        const head_lookup found = (*run)->find_stream(stream, into);
        if (found != head_lookup::absent)
            return found;
    }
    return head_lookup::absent;
}

head_lookup head_runs::find_tag(tag_id tag, stream_head& into) const noexcept {
    for (const shared_run& run : runs_)
        run->prefetch_tag(tag);
    for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
        const head_lookup found = (*run)->find_tag(tag, into);
        if (found != head_lookup::absent)
            return found;
    }
    return head_lookup::absent;
}

head_lookup head_runs::find_name(std::string_view name, stream_id& into) const noexcept {
    for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
        const head_lookup found = (*run)->find_name(name, into);
        if (found != head_lookup::absent)
            return found;
    }
    return head_lookup::absent;
}

result<head_runs> chain_runs(const directory_handle& directory, const journal_id& id) {
    auto base = head_run::open(directory, id, heads_name);
    if (!base)
        return std::unexpected(std::move(base.error()));
    std::vector<shared_run> runs;
    if (base->header().first_ordinal != 0) {
        return std::unexpected(error{.code = errc::damaged,
                                     .offset = offsetof(heads_header, first_ordinal),
                                     .file = base->path().string(),
                                     .detail = "not the first run of stream heads"});
    }
    runs.push_back(std::make_shared<const head_run>(std::move(*base)));
    auto names = directory.names();
    if (!names)
        return std::unexpected(std::move(names.error()));
    std::vector<shared_run> others;
    for (const std::string& name : *names) {
        if (name == heads_name || !is_run_name(name))
            continue;
        auto run = head_run::open(directory, id, name);
        if (run && run->header().first_ordinal != 0 &&
            run_name(run->header().first_ordinal, run->header().ordinal) == name)
            others.push_back(std::make_shared<const head_run>(std::move(*run)));
    }
    while (const shared_run* next = next_of(others, runs.back()->header()))
        runs.push_back(*next);
    return head_runs{std::move(runs)};
}

result<head_runs> open_runs(const directory_handle& directory, const journal_id& id,
                            const log_begin& begin, std::span<const std::uint64_t> ordinals) {
    PAWL_ASSERT(std::ranges::is_sorted(ordinals));
    auto chained = chain_runs(directory, id);
    if (!chained)
        return head_runs{};
    auto all = chained->all();
    while (!all.empty() && !fits_log(all.back()->header(), directory, id, begin, ordinals))
        all = all.first(all.size() - 1);
    return head_runs{{all.begin(), all.end()}};
}

result<void> remove_other_runs(const directory_handle& directory, const head_runs& keep) {
    auto names = directory.names();
    if (!names)
        return std::unexpected(std::move(names.error()));
    for (const std::string& name : *names) {
        const bool kept = std::ranges::any_of(keep.all(), [&](const shared_run& each) {
            return run_name(each->header().first_ordinal, each->header().ordinal) == name;
        });
        if (!is_run_name(name) || name == heads_name || kept)
            continue;
        if (auto gone = directory.unlink(name); !gone && gone.error().code != errc::not_found)
            return gone;
    }
    return {};
}

}  // namespace pawl::detail
