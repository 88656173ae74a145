// SHA-256, and the tree of hashes over the events of a block.
#pragma once

#include <pawl/journal/event.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

using sha256_digest = std::array<std::byte, 32>;

[[nodiscard]] sha256_digest sha256(std::span<const std::byte> bytes);
[[nodiscard]] std::string hex_text(std::span<const std::byte> bytes);
// nullopt unless it is 64 hexadecimal digits.
[[nodiscard]] std::optional<sha256_digest> digest_in(std::string_view hex);

// What the content hash of an event covers (journal/FORMAT.md): the commit word, then the frame
// from the sequence on, with its padding. The same in every copy of the journal.
[[nodiscard]] std::vector<std::byte> content_of(const event& e);

// A Merkle tree as RFC 6962 builds it: the hash of a leaf is that of 0x00 and its bytes, that of a
// node of 0x01 and its two children, and a tree of n leaves has the largest power of two below n on
// its left.
class merkle_tree {
  public:
    void add(std::span<const std::byte> leaf);
    void clear() noexcept { leaves_.clear(); }
    [[nodiscard]] std::size_t size() const noexcept { return leaves_.size(); }
    // Of the first `leaves`, of which there are so many.
    [[nodiscard]] sha256_digest root(std::size_t leaves) const;
    [[nodiscard]] sha256_digest root() const { return root(leaves_.size()); }

    struct sibling {
        bool on_the_left = false;
        sha256_digest hash{};
    };
    // The hashes that lead from a leaf to the root, the lowest first.
    [[nodiscard]] std::vector<sibling> path(std::size_t leaf) const;

  private:
    std::vector<sha256_digest> leaves_;
};

}  // namespace pawl::cli
