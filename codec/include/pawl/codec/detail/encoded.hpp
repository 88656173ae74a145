// The checks on an encoded payload before it may go into a journal.
#pragma once

#include <pawl/codec/decode.hpp>

#include <cassert>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace pawl {

namespace detail {

template <class Offset>
struct offset_target {};
template <class Table>
struct offset_target<flatbuffers::Offset<Table>> {
    using type = Table;
};
template <class Build>
using built_table = typename offset_target<
    std::remove_cvref_t<std::invoke_result_t<Build&, flatbuffers::FlatBufferBuilder&>>>::type;

[[nodiscard]] inline std::span<const std::byte> bytes_of(
    const flatbuffers::FlatBufferBuilder& builder) noexcept {
    return {reinterpret_cast<const std::byte*>(builder.GetBufferPointer()), builder.GetSize()};
}

// Resets a builder unless its table was finished. When memory runs out, FlatBuffers has already
// noted the size of the larger buffer, and would go on to write beyond the one that it still has.
class unfinished_table {
  public:
    explicit unfinished_table(flatbuffers::FlatBufferBuilder& of) noexcept : of_{&of} {}
    ~unfinished_table() {
        if (of_ != nullptr) [[unlikely]]
            of_->Reset();
    }
    unfinished_table(const unfinished_table&) = delete;
    unfinished_table& operator=(const unfinished_table&) = delete;
    void finished() noexcept { of_ = nullptr; }

  private:
    flatbuffers::FlatBufferBuilder* of_;
};

// Builds a table as the only one of the builder.
void build_table(flatbuffers::FlatBufferBuilder& builder, auto& build) {
    unfinished_table open{builder};
    builder.Clear();
    builder.Finish(build(builder));
    open.finished();
}

[[nodiscard]] error encoded_too_large(std::size_t bytes, std::size_t limit) noexcept;
[[nodiscard]] error encoded_misaligned(std::size_t alignment) noexcept;
[[nodiscard]] error encoded_too_deep(const verify_limits& limits) noexcept;

// Refuses a finished payload that decode would refuse. A small payload cannot hold more tables than
// its limits allow, so only large ones are counted, which costs little compared with copying them.
// The schema bounds the depth unless it refers to itself, so only debug builds check it.
template <event_table Table>
[[nodiscard, gnu::noinline]] result<void> check_large(
    const flatbuffers::FlatBufferBuilder& builder) {
    constexpr verify_limits limits = limits_of<Table>();
    const std::size_t bytes = builder.GetSize();
    if (bytes > limits.max_bytes)
        return std::unexpected(encoded_too_large(bytes, limits.max_bytes));
    if (builder.GetBufferMinAlignment() > payload_alignment)
        return std::unexpected(encoded_misaligned(builder.GetBufferMinAlignment()));
    if (!verify_anywhere<Table>(bytes_of(builder)))
        return std::unexpected(encoded_too_deep(limits));
    return {};
}
template <event_table Table>
[[nodiscard]] result<void> check_encoded(const flatbuffers::FlatBufferBuilder& builder) {
    constexpr verify_limits limits = limits_of<Table>();
    const std::size_t bytes = builder.GetSize();
    const bool small = bytes <= limits.max_bytes && bytes / 8 <= limits.max_tables;
    if (!small || builder.GetBufferMinAlignment() > payload_alignment) [[unlikely]]
        return check_large<Table>(builder);
    assert(verify_anywhere<Table>(bytes_of(builder)));
    return {};
}

}  // namespace detail

// A callable that builds an event in the given FlatBufferBuilder and returns its Offset, whose type
// determines the event.
template <class Build>
concept event_build = event_table<detail::built_table<Build>>;

}  // namespace pawl
