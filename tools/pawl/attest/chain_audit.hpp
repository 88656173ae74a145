// Compares a journal's events with an attestation, as they pass by in order.
#pragma once

#include "attest/attestation.hpp"

#include <pawl/journal/event.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pawl::cli {

class chain_audit {
  public:
    explicit chain_audit(attestation what) : attested_{std::move(what)} {}

    void add(const event& e);

    struct outcome {
        std::uint64_t checked = 0;    // events that are those that were attested
        std::uint64_t unchecked = 0;  // attested and pruned since, wholly or in part of a block
        std::vector<error> findings;  // blocks that the journal does not hold as they were
    };
    // After the last event. `first` is where the log begins, and `origin` the journal's.
    [[nodiscard]] outcome finish(sequence_number first, const journal_id& origin);

  private:
    void end_block();

    attestation attested_;
    std::size_t block_ = 0;
    merkle_tree tree_;
    sequence_number tree_begins_ = 0;
    // Of each block that was seen from an event on: where, how many, and whether the root agrees.
    struct seen_block {
        std::size_t block = 0;
        sequence_number from = 0;
        std::uint64_t events = 0;
        bool agrees = false;
    };
    std::vector<seen_block> seen_;
};

}  // namespace pawl::cli
