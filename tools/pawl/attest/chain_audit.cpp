#include "attest/chain_audit.hpp"

#include <fmt/format.h>

#include <utility>

namespace pawl::cli {

void chain_audit::add(const event& e) {
    while (block_ < attested_.blocks.size() && e.sequence() >= attested_.blocks[block_].end)
        end_block();
    if (block_ == attested_.blocks.size() || e.sequence() < attested_.blocks[block_].first)
        return;
    if (tree_.size() == 0)
        tree_begins_ = e.sequence();
    tree_.add(content_of(e));
}

void chain_audit::end_block() {
    const attested_block& block = attested_.blocks[block_];
    if (tree_.size() != 0) {
        const bool whole = tree_begins_ == block.first && tree_.size() == block.end - block.first;
        seen_.push_back({.block = block_,
                         .from = tree_begins_,
                         .events = tree_.size(),
                         .agrees = whole && tree_.root() == block.root});
    }
    tree_.clear();
    ++block_;
}

chain_audit::outcome chain_audit::finish(sequence_number first, const journal_id& origin) {
    while (block_ < attested_.blocks.size())
        end_block();
    outcome found;
    if (attested_.origin != origin) {
        found.findings.push_back(
            {.code = errc::diverged, .detail = "the attestation is of another journal's history"});
        return found;
    }
    auto next = seen_.begin();
    for (std::size_t i = 0; i < attested_.blocks.size(); ++i) {
        const attested_block& block = attested_.blocks[i];
        const seen_block* seen = next != seen_.end() && next->block == i ? &*next++ : nullptr;
        const std::uint64_t events = block.end - block.first;
        if (block.first < first) {  // pruned: what is left of it proves nothing
            found.unchecked += events;
        } else if (seen != nullptr && seen->agrees) {
            found.checked += events;
        } else {
            const std::uint64_t there = seen == nullptr ? 0 : seen->events;
            found.findings.push_back(
                {.code = errc::diverged,
                 .sequence = block.first,
                 .detail = there == events
                               ? fmt::format("an event from here up to sequence {} is not the one "
                                             "that was attested",
                                             block.end)
                               : fmt::format("of the events up to sequence {} that were attested, "
                                             "the journal holds {} of {}",
                                             block.end, there, events)});
        }
    }
    return found;
}

}  // namespace pawl::cli
