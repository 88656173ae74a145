// An event that is encoded once and appended many times with different numbers.
//
//     auto fill = pawl::prepared_event<order_filled>::make([](auto& builder) {
//         return Createorder_filled(builder, 0, 0, 0);
//     });
//     fill->fields().mutate_price(101);
//     fill->fields().mutate_quantity(5);
//     auto placed = fill->append(log, {.stream = 42});
//
// Changing a scalar in place costs about a nanosecond; building the table costs tens.
#pragma once

#include <pawl/codec/detail/encoded.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/journal/detail/guarded.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace pawl {

// Owns the encoded payload. One thread at a time uses it.
template <event_table Table>
class prepared_event {
  public:
    // Stores every scalar that `build` sets, even one equal to its default, so that it can be
    // changed later.
    template <event_build Build>
        requires std::same_as<detail::built_table<Build>, Table>
    [[nodiscard]] static result<prepared_event> make(Build&& build) {
        return detail::guarded([&]() -> result<prepared_event> {
            flatbuffers::FlatBufferBuilder builder;
            builder.ForceDefaults(true);
            builder.Finish(build(builder));
            if (auto fits = detail::check_encoded<Table>(builder); !fits)
                return std::unexpected(std::move(fits.error()));
            return prepared_event{detail::bytes_of(builder)};
        });
    }

    // The table in place. mutate_x() changes a scalar, and returns false if the table was built
    // without that field; mutable_x() returns a struct to change. Only headers generated with
    // --gen-mutable, as pawl_flatbuffers() does, have these setters.
    [[nodiscard]] Table& fields() noexcept { return *table_; }

    [[nodiscard]] std::span<const std::byte> payload() const noexcept {
        return {reinterpret_cast<const std::byte*>(words_.data()), bytes_};
    }

    // Appends the event with its current values to `sink`. Fails like the sink.
    template <event_sink Sink>
    [[nodiscard]] result<receipt> append(Sink& sink, const event_header& where) const noexcept {
        return sink.append(header_of<Table>(where), payload());
    }

  private:
    explicit prepared_event(std::span<const std::byte> payload)
        : words_((payload.size() + 7) / 8), bytes_{payload.size()} {
        std::memcpy(words_.data(), payload.data(), payload.size());
        table_ = flatbuffers::GetMutableRoot<Table>(words_.data());
    }

    std::vector<std::uint64_t> words_;  // for the alignment that a payload needs
    std::size_t bytes_;
    Table* table_;

  public:
    // A copy's table_ would point into the original; moving a vector keeps its buffer in place.
    prepared_event(const prepared_event&) = delete;
    prepared_event& operator=(const prepared_event&) = delete;
    prepared_event(prepared_event&&) noexcept = default;
    prepared_event& operator=(prepared_event&&) noexcept = default;
    ~prepared_event() = default;
};

}  // namespace pawl
