#include "attest/digest.hpp"

#include "events/base64.hpp"

#include <openssl/sha.h>

#include <pawl/journal/detail/frame.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace pawl::cli {

namespace {

sha256_digest node(const sha256_digest& left, const sha256_digest& right) {
    std::array<std::byte, 1 + 2 * sizeof(sha256_digest)> bytes{std::byte{1}};
    std::ranges::copy(left, bytes.begin() + 1);
    std::ranges::copy(right, bytes.begin() + 1 + sizeof(sha256_digest));
    return sha256(bytes);
}

std::size_t left_part(std::size_t leaves) {
    return std::bit_floor(leaves - 1);
}

sha256_digest root_of(std::span<const sha256_digest> leaves) {
    if (leaves.size() == 1)
        return leaves.front();
    const std::size_t left = left_part(leaves.size());
    return node(root_of(leaves.first(left)), root_of(leaves.subspan(left)));
}

}  // namespace

sha256_digest sha256(std::span<const std::byte> bytes) {
    sha256_digest made{};
    ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
             reinterpret_cast<unsigned char*>(made.data()));
    return made;
}

std::string hex_text(std::span<const std::byte> bytes) {
    std::string text;
    append_hex(text, bytes);
    return text;
}

std::optional<sha256_digest> digest_in(std::string_view hex) {
    const auto bytes = from_hex(hex);
    if (!bytes || bytes->size() != sizeof(sha256_digest))
        return std::nullopt;
    sha256_digest made{};
    std::ranges::copy(*bytes, made.begin());
    return made;
}

std::vector<std::byte> content_of(const event& e) {
    const std::byte* frame =
        e.payload().data() - e.metadata().bytes().size() - detail::frame_header_bytes;
    const detail::commit_word word{detail::load_u64(frame)};
    const std::size_t rest = detail::padded(word.frame_bytes()) - detail::frame_offset::content;
    std::vector<std::byte> bytes(sizeof(std::uint64_t) + rest);
    const std::uint64_t commit = word.value();
    std::memcpy(bytes.data(), &commit, sizeof commit);
    std::memcpy(bytes.data() + sizeof commit, frame + detail::frame_offset::content, rest);
    return bytes;
}

void merkle_tree::add(std::span<const std::byte> leaf) {
    std::vector<std::byte> bytes(1 + leaf.size());
    std::ranges::copy(leaf, bytes.begin() + 1);
    leaves_.push_back(sha256(bytes));
}

sha256_digest merkle_tree::root(std::size_t leaves) const {
    return root_of(std::span{leaves_}.first(leaves));
}

std::vector<merkle_tree::sibling> merkle_tree::path(std::size_t leaf) const {
    std::vector<sibling> found;
    std::span<const sha256_digest> in{leaves_};
    while (in.size() > 1) {
        const std::size_t left = left_part(in.size());
        if (leaf < left) {
            found.push_back({false, root_of(in.subspan(left))});
            in = in.first(left);
        } else {
            found.push_back({true, root_of(in.first(left))});
            in = in.subspan(left);
            leaf -= left;
        }
    }
    std::ranges::reverse(found);
    return found;
}

}  // namespace pawl::cli
