// A chain of hashes over a journal's history, as a file that is kept elsewhere
// (tools/ATTESTATION.md).
#pragma once

#include "attest/digest.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace pawl::cli {

inline constexpr std::uint64_t events_in_block = 65536;

// Events with consecutive sequences, up to the next multiple of 65,536 or, in the last block, up to
// where the log ended.
struct attested_block {
    sequence_number first = 0;
    sequence_number end = 0;
    sha256_digest root{};
    sha256_digest chain{};  // of this block and all before it

    [[nodiscard]] bool is_complete() const noexcept { return end % events_in_block == 0; }
};

struct attestation {
    journal_id origin{};  // the same for all copies of a journal
    std::vector<attested_block> blocks;
    std::string signature;  // base64; empty: not signed

    [[nodiscard]] sequence_number end() const noexcept {
        return blocks.empty() ? 0 : blocks.back().end;
    }
    [[nodiscard]] sha256_digest head() const noexcept {
        return blocks.empty() ? sha256_digest{} : blocks.back().chain;
    }
    // Sets the block's `chain` and adds it.
    void add(attested_block block);
    // What is signed and anchored: one line.
    [[nodiscard]] std::string statement() const;
};

// The chain after `before` and this block.
[[nodiscard]] sha256_digest chained(const sha256_digest& before, const journal_id& origin,
                                    const attested_block& block);

// Fails with not_found, io, or malformed if it is none or its chain does not fit its blocks.
[[nodiscard]] result<attestation> read_attestation(const std::filesystem::path& file);
// Whole or not at all, and on stable storage.
[[nodiscard]] result<void> write_attestation(const std::filesystem::path& file,
                                             const attestation& what);

// Ed25519 keys are PEM files. The signature as base64.
[[nodiscard]] result<std::string> sign(const std::string& statement,
                                       const std::filesystem::path& private_key);
// malformed if the signature is not of this statement and key.
[[nodiscard]] result<void> check_signature(const attestation& what,
                                           const std::filesystem::path& public_key);

}  // namespace pawl::cli
