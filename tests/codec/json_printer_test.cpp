#include "kinds_bfbs.hpp"
#include "kinds_generated.h"
#include "schema_text.hpp"
#include "shop_bfbs.hpp"
#include "shop_events.hpp"

#include <pawl/codec/decode.hpp>

#include <bit>
#include <cstring>
#include <limits>
#include <string>

namespace {

using kinds::everything;

const pawl::schema& everything_schema() {
    static const pawl::schema loaded = load_schema(kinds_bfbs(), "kinds.everything");
    return loaded;
}

// The payload of a table that `build` makes, as a copy that is aligned.
template <class Build>
std::vector<std::uint64_t> payload(Build&& build, std::size_t& bytes) {
    flatbuffers::FlatBufferBuilder b;
    b.Finish(build(b));
    bytes = b.GetSize();
    std::vector<std::uint64_t> words((bytes + 7) / 8);
    std::memcpy(words.data(), b.GetBufferPointer(), bytes);
    return words;
}
template <class Build>
std::string printed(Build&& build, const pawl::json_options& options = {}) {
    std::size_t bytes = 0;
    const auto words = payload(build, bytes);
    return print(everything_schema(), std::as_bytes(std::span{words}).first(bytes), options);
}
// Of one field of `everything`.
template <class Add>
std::string field(Add&& add, const pawl::json_options& options = {}) {
    return printed(
        [&](flatbuffers::FlatBufferBuilder& b) {
            kinds::everythingBuilder all{b};
            add(all);
            return all.Finish();
        },
        options);
}
std::string real(double value) {
    return field([&](auto& all) { all.add_real(value); });
}

}  // namespace

TEST_CASE("a double is printed in the shortest form that reads back as the same bits", "[codec]") {
    CHECK(real(0.1 + 0.2) == R"({"real":0.30000000000000004})");
    CHECK(real(1e-13) == R"({"real":1e-13})");
    CHECK(real(-0.0) == R"({"real":-0})");
    CHECK(real(1.0) == R"({"real":1})");
    CHECK(real(5e-324) == R"({"real":5e-324})");
    CHECK(real(std::numeric_limits<double>::max()) == R"({"real":1.7976931348623157e+308})");
    CHECK(field([](auto& all) { all.add_single(0.1F); }) == R"({"single":0.1})");
}

TEST_CASE("what is no number is printed as a string, with its bits if they are unusual",
          "[codec]") {
    CHECK(real(std::numeric_limits<double>::infinity()) == R"({"real":"Infinity"})");
    CHECK(real(-std::numeric_limits<double>::infinity()) == R"({"real":"-Infinity"})");
    CHECK(real(std::bit_cast<double>(0x7ff8000000000000)) == R"({"real":"NaN"})");
    CHECK(real(std::bit_cast<double>(0xfff8000000000001)) ==
          R"j({"real":"NaN(0xfff8000000000001)"})j");
    CHECK(field([](auto& all) { all.add_single(std::bit_cast<float>(0x7fc00001)); }) ==
          R"j({"single":"NaN(0x7fc00001)"})j");
}

TEST_CASE("64-bit integers are numbers, or strings where asked for", "[codec]") {
    const auto both = [](auto& all) {
        all.add_big(std::numeric_limits<std::int64_t>::min());
        all.add_ubig(std::numeric_limits<std::uint64_t>::max());
        all.add_number(7);
    };
    CHECK(field(both) == R"({"number":7,"big":-9223372036854775808,"ubig":18446744073709551615})");
    CHECK(field(both, {.long_integers_as_strings = true}) ==
          R"({"number":7,"big":"-9223372036854775808","ubig":"18446744073709551615"})");
}

TEST_CASE("enums are printed by name, flags by their names, and both by number where there is none",
          "[codec]") {
    CHECK(field([](auto& all) { all.add_side(kinds::side::buy); }) == R"({"side":"buy"})");
    CHECK(field([](auto& all) { all.add_side(static_cast<kinds::side>(3)); }) == R"({"side":3})");
    CHECK(field([](auto& all) { all.add_level(kinds::level::low); }) == R"({"level":"low"})");
    const auto rights = [](std::uint16_t bits) {
        return field([&](auto& all) { all.add_rights(static_cast<kinds::rights>(bits)); });
    };
    CHECK(rights(1) == R"({"rights":"read"})");
    CHECK(rights(3) == R"({"rights":"read write"})");
    CHECK(rights(0) == R"({"rights":0})");
    CHECK(rights(5) == R"({"rights":5})");
    CHECK(rights(513) == "{}");  // the default
}

TEST_CASE("strings are escaped, and printed as bytes if they are not valid UTF-8", "[codec]") {
    const auto text = [](std::string_view value) {
        return printed([&](flatbuffers::FlatBufferBuilder& b) {
            const auto made = b.CreateString(value.data(), value.size());
            kinds::everythingBuilder all{b};
            all.add_text(made);
            return all.Finish();
        });
    };
    CHECK(text("") == R"({"text":""})");
    CHECK(text("a\"b\\c/\n\t\x01\x7f") == "{\"text\":\"a\\\"b\\\\c/\\n\\t\\u0001\x7f\"}");
    CHECK(text(std::string_view{"\0", 1}) == R"({"text":"\u0000"})");
    CHECK(text("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xbe") ==
          "{\"text\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xbe\"}");
    CHECK(text("a\xff") == R"({"text":[97,255]})");
    CHECK(text("\xc0\x80") == R"({"text":[192,128]})");                  // overlong
    CHECK(text("\xed\xa0\x80") == R"({"text":[237,160,128]})");          // a surrogate
    CHECK(text("\xf4\x90\x80\x80") == R"({"text":[244,144,128,128]})");  // above U+10FFFF
    CHECK(text("12345678\xe2\x82") == R"({"text":[49,50,51,52,53,54,55,56,226,130]})");
}

TEST_CASE("defaults are shown only where asked for", "[codec]") {
    CHECK(field([](auto&) {}) == "{}");
    const std::string all = field([](auto&) {}, {.defaults = true});
    CHECK_THAT(all, Catch::Contains(R"("small":-3,)"));
    CHECK_THAT(all, Catch::Contains(R"("not_real":"NaN","maybe":null,)"));
    CHECK_THAT(all, Catch::Contains(R"("side":"sell","level":"zero","rights":"read own",)"));
    CHECK_THAT(all, Catch::Contains(R"("form_type":"NONE","form":null,)"));
    CHECK_THAT(all, !Catch::Contains("gone"));
    // A default that was stored is one, too; an optional scalar has none.
    CHECK(field([](auto& b) {
              b.fbb_.ForceDefaults(true);
              b.add_real(0.25);
              b.add_maybe(0);
          }) == R"({"maybe":0})");
}

TEST_CASE("unions, structs, nested tables and vectors are printed in the form they are read in",
          "[codec]") {
    const std::string text = printed([](flatbuffers::FlatBufferBuilder& b) {
        const kinds::point at{3, 0.5};
        const auto member = b.CreateString("text");
        const auto name = b.CreateString("end");
        const auto leaf = kinds::Createleaf(b, name, 2);
        const std::vector types{kinds::shape::text, kinds::shape::leaf, kinds::shape::point};
        const std::vector<flatbuffers::Offset<void>> values{member.Union(), leaf.Union(),
                                                            b.CreateStruct(at).Union()};
        const auto all_types = b.CreateVector(types);
        const auto all_values = b.CreateVector(values);
        const auto reals = b.CreateVector(std::vector<double>{1, 0.1});
        const auto points = b.CreateVectorOfStructs(&at, 1);
        const auto none = b.CreateVector(std::vector<std::int64_t>{});
        kinds::everythingBuilder all{b};
        all.add_where(&at);
        all.add_child(leaf);
        all.add_form_type(kinds::shape::text);
        all.add_form(member.Union());
        all.add_forms_type(all_types);
        all.add_forms(all_values);
        all.add_reals(reals);
        all.add_points(points);
        all.add_numbers(none);
        return all.Finish();
    });
    CHECK(text == R"({"where":{"x":3,"y":0.5},"child":{"name":"end","weight":2},)"
                  R"("form_type":"text","form":"text","forms_type":["text","leaf","point"],)"
                  R"("forms":["text",{"name":"end","weight":2},{"x":3,"y":0.5}],)"
                  R"("numbers":[],"reals":[1,0.1],"points":[{"x":3,"y":0.5}]})");
}

TEST_CASE("a nested FlatBuffer is an object, or bytes if it does not verify", "[codec]") {
    const auto nested = [](const std::vector<std::uint8_t>& bytes) {
        return printed([&](flatbuffers::FlatBufferBuilder& b) {
            const auto made = b.CreateVector(bytes);
            kinds::everythingBuilder all{b};
            all.add_nested(made);
            return all.Finish();
        });
    };
    flatbuffers::FlatBufferBuilder inner;
    inner.Finish(kinds::CreateleafDirect(inner, "in"));
    const std::vector<std::uint8_t> sound(inner.GetBufferPointer(),
                                          inner.GetBufferPointer() + inner.GetSize());
    CHECK(nested(sound) == R"({"nested":{"name":"in"}})");
    CHECK(nested({}) == R"({"nested":[]})");
    CHECK(nested({1, 2, 3}) == R"({"nested":[1,2,3]})");
    CHECK(nested({255, 255, 255, 255, 0, 0, 0, 9}) == R"({"nested":[255,255,255,255,0,0,0,9]})");
}

TEST_CASE("a payload that does not verify is refused by field and offset, and nothing is printed",
          "[codec]") {
    const pawl::schema order = load_schema(shop_bfbs(), "shop.order_placed");
    std::size_t bytes = 0;
    auto words = payload(
        [](flatbuffers::FlatBufferBuilder& b) {
            const std::vector lines{shop::CreatelineDirect(b, 1, nullptr, "note")};
            return shop::Createorder_placedDirect(b, 7, 0, 0, 0, 0, 0, 0, "n", &lines);
        },
        bytes);
    const auto whole = std::as_writable_bytes(std::span{words}).first(bytes);
    REQUIRE(print(order, whole) == R"({"order":7,"note":"n","lines":[{"item":1,"note":"note"}]})");
    // Cut anywhere, it is refused or the same; it is never read beyond its end.
    std::string text = "before";
    for (std::size_t kept = 0; kept < bytes; ++kept)
        if (!pawl::json_printer{order}.print(whole.first(kept), text))
            CHECK(text == "before");
        else
            text = "before";
    // The terminator of the line's note.
    const std::string_view raw{reinterpret_cast<const char*>(whole.data()), bytes};
    whole[raw.find("note") + 4] = std::byte{'x'};
    const auto failed = pawl::json_printer{order}.print(whole, text);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == pawl::errc::malformed);
    CHECK_THAT(failed.error().detail,
               Catch::Contains("shop.order_placed, field lines[0].note, byte") &&
                   Catch::Contains("no terminator"));
    CHECK(text == "before");
}

TEST_CASE(
    "a payload that no bit of is changed in prints as decode reads it, any other is refused "
    "or printed, and never read outside",
    "[codec]") {
    std::size_t bytes = 0;
    auto words = payload(
        [](flatbuffers::FlatBufferBuilder& b) {
            return shop::Createorder_cancelledDirect(b, 7, "because");
        },
        bytes);
    const pawl::schema of = load_schema(shop_bfbs(), "shop.order_cancelled");
    const auto whole = std::as_writable_bytes(std::span{words}).first(bytes);
    for (std::size_t bit = 0; bit < bytes * 8; ++bit) {
        whole[bit / 8] ^= std::byte(1U << bit % 8);
        // The same verdict as FlatBuffers' own verifier, but for limits.
        std::string text;
        INFO(bit);
        CHECK(pawl::json_printer{of}.print(whole, text).has_value() ==
              pawl::verify_payload<shop::order_cancelled>(whole));
        whole[bit / 8] ^= std::byte(1U << bit % 8);
    }
}

TEST_CASE("a payload is held to limits on depth, tables and text", "[codec]") {
    const pawl::schema of = load_schema(shop_bfbs(), "shop.chain");
    std::size_t bytes = 0;
    const auto words = payload(
        [](flatbuffers::FlatBufferBuilder& b) {
            auto link = shop::Createchain(b, 1);
            for (int i = 0; i < 9; ++i)
                link = shop::Createchain(b, 1, link);
            return link;
        },
        bytes);
    const auto whole = std::as_bytes(std::span{words}).first(bytes);
    CHECK_THAT(print(of, whole), Catch::StartsWith("{"));
    CHECK_THAT(print(of, whole, {.limits = {.max_depth = 9}}), Catch::Contains("too_large"));
    CHECK_THAT(print(of, whole, {.limits = {.max_tables = 9}}), Catch::Contains("too_large"));
    CHECK_THAT(print(of, whole, {.limits = {.max_bytes = bytes - 1}}),
               Catch::Contains("too_large"));
    CHECK_THAT(print(of, whole, {.max_text_bytes = 50}), Catch::Contains("too_large"));
}
