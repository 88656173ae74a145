#include "recording_sink.hpp"
#include "shop_events.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/dispatch.hpp>
#include <pawl/codec/encoder.hpp>

#include <string>

namespace {

struct counting {
    int placed = 0;
    int paid = 0;
    int cancelled = 0;

    void operator()(const shop::order_placed&) { ++placed; }
    void operator()(const shop::order_paid&, const pawl::typed_payload& from) { paid += from.type; }
    pawl::result<void> operator()(const shop::order_cancelled& e) {
        if (e.reason()->str() == "never")
            return pawl::fail(pawl::errc::invalid_argument, "cannot be");
        ++cancelled;
        return {};
    }
};

recording_sink paid() {
    pawl::encoder encode;
    recording_sink sink;
    REQUIRE(encode.append(sink, {}, [](auto& b) { return shop::Createorder_paid(b, 1); }));
    return sink;
}
recording_sink cancelled(const std::string& reason) {
    pawl::encoder encode;
    recording_sink sink;
    REQUIRE(encode.append(sink, {}, [&](auto& b) {
        return shop::Createorder_cancelled(b, 1, b.CreateString(reason));
    }));
    return sink;
}

}  // namespace

TEST_CASE("an event goes to the call for its table, with or without where it came from",
          "[codec]") {
    counting visitor;
    REQUIRE(pawl::dispatch<shop::events>(paid().last(), visitor));
    REQUIRE(pawl::dispatch<shop::events>(cancelled("late").last(), visitor));
    CHECK(visitor.placed == 0);
    CHECK(visitor.paid == 2);
    CHECK(visitor.cancelled == 1);
}

TEST_CASE("dispatch returns the result of the visitor", "[codec]") {
    counting visitor;
    const auto failed = pawl::dispatch<shop::events>(cancelled("never").last(), visitor);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().detail == "cannot be");
}

TEST_CASE("an event outside the list is an error and is never skipped", "[codec]") {
    counting visitor;
    for (const auto check : {pawl::payload_check::verify, pawl::payload_check::trust}) {
        recording_sink sink = paid();
        sink.header.type = 4;
        const auto unknown = pawl::dispatch<shop::events>(sink.last(), visitor, check);
        REQUIRE_FALSE(unknown);
        CHECK(unknown.error().code == pawl::errc::unknown_event);

        sink = paid();
        sink.header.schema_version = 4;
        const auto newer = pawl::dispatch<shop::events>(sink.last(), visitor, check);
        REQUIRE_FALSE(newer);
        CHECK(newer.error().code == pawl::errc::unknown_event);
    }
    CHECK(visitor.paid == 0);
}

TEST_CASE("a malformed payload does not reach the visitor", "[codec]") {
    counting visitor;
    recording_sink sink = paid();
    sink.words[0] = ~std::uint64_t{0};
    const auto malformed = pawl::dispatch<shop::events>(sink.last(), visitor);
    REQUIRE_FALSE(malformed);
    CHECK(malformed.error().code == pawl::errc::malformed);
    CHECK(visitor.paid == 0);
}
