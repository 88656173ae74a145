#include "recording_sink.hpp"
#include "shop_events.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/dispatch.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/codec/prepared_event.hpp>

#include <cstdlib>
#include <new>

namespace {

std::size_t allocations = 0;

// Keeps nothing, so that only the codec's own allocations are counted.
struct forgetting_sink {
    std::size_t bytes = 0;
    pawl::result<pawl::receipt> append(const pawl::event_header&,
                                       std::span<const std::byte> payload) {
        bytes += payload.size();
        return pawl::receipt{};
    }
};

struct visitor {
    std::uint64_t sum = 0;
    void operator()(const shop::order_placed& e) { sum += e.order(); }
    void operator()(const shop::order_paid&) {}
    void operator()(const shop::order_cancelled&) {}
};

}  // namespace

// Replace all forms, because a sanitizer supplies its own versions of any that are missing.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(bytes);
}
void* operator new(std::size_t bytes) {
    if (void* memory = operator new(bytes, std::nothrow))
        return memory;
    throw std::bad_alloc{};
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
    return operator new(bytes, std::nothrow);
}
void* operator new[](std::size_t bytes) {
    return operator new(bytes);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

TEST_CASE("encoding, changing and decoding allocate nothing once they are under way", "[codec]") {
    pawl::encoder encode;
    forgetting_sink sink;
    const auto build = [](flatbuffers::FlatBufferBuilder& b) {
        return shop::Createorder_placed(b, 1, 2, 3, 4, 5, 6, 7, b.CreateString("a note"));
    };
    REQUIRE(encode.append(sink, {}, build));
    auto prepared = pawl::prepared_event<shop::order_placed>::make(build);
    REQUIRE(prepared);
    recording_sink kept;
    REQUIRE(encode.append(kept, {}, build));
    const auto payload = kept.last();
    visitor visit;
    bool fine = true;

    const std::size_t before = allocations;
    for (int i = 0; i < 1000; ++i) {
        fine = fine && encode.append(sink, {}, build).has_value();
        fine = fine && prepared->fields().mutate_order(9) && prepared->append(sink, {}).has_value();
        fine = fine && pawl::decode<shop::order_placed>(payload).has_value();
        fine = fine && pawl::dispatch<shop::events>(payload, visit).has_value();
    }
    const std::size_t during = allocations - before;
    CHECK(during == 0);
    CHECK(fine);
    CHECK(visit.sum == 1000);
    CHECK(before != 0);
}
