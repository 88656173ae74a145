#include "kinds_bfbs.hpp"
#include "schema_text.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/field_reader.hpp>

#include <limits>
#include <string>

namespace {

const pawl::schema& everything_schema() {
    static const pawl::schema loaded = load_schema(kinds_bfbs(), "kinds.everything");
    return loaded;
}

struct as_words {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(std::int64_t value) const { return "integer " + std::to_string(value); }
    std::string operator()(double value) const { return "real " + std::to_string(value); }
    std::string operator()(std::string_view value) const { return "text " + std::string{value}; }
    std::string operator()(pawl::json_text value) const {
        return "json " + std::string{value.text};
    }
};

// One field of the event that the JSON text describes.
std::string value_of(std::string_view field, std::string_view json) {
    pawl::json_parser parse{everything_schema()};
    const auto payload = parse(json);
    if (!payload)
        return payload.error().message();
    const pawl::field_reader fields{everything_schema()};
    const auto index = fields.find(field);
    REQUIRE(index);
    CHECK(fields.name(*index) == field);
    std::string text = "what another field left";
    const auto value = fields.read(*payload, *index, text);
    return value ? std::visit(as_words{}, *value) : value.error().message();
}

}  // namespace

TEST_CASE("a field reader reads every kind of field", "[codec]") {
    CHECK(value_of("number", R"({"number":-7})") == "integer -7");
    CHECK(value_of("octet", R"({"octet":255})") == "integer 255");
    CHECK(value_of("small", R"({"small":-128})") == "integer -128");
    CHECK(value_of("word", R"({"word":-2})") == "integer -2");
    CHECK(value_of("truth", R"({"truth":true})") == "integer 1");
    CHECK(value_of("big", R"({"big":-9223372036854775808})") == "integer -9223372036854775808");
    CHECK(value_of("ubig", R"({"ubig":9223372036854775807})") == "integer 9223372036854775807");
    CHECK(value_of("ubig", R"({"ubig":18446744073709551615})") == "text 18446744073709551615");
    CHECK(value_of("single", R"({"single":1.5})") == "real 1.500000");
    CHECK(value_of("real", R"({"real":"Infinity"})") == "real inf");
    CHECK(value_of("real", R"({"real":"NaN"})") == "null");
    CHECK(value_of("side", R"({"side":"buy"})") == "text buy");
    CHECK(value_of("side", R"({"side":3})") == "integer 3");
    CHECK(value_of("rights", R"({"rights":"read write"})") == "text read write");
    CHECK(value_of("text", R"({"text":"ä \"b\""})") == "text ä \"b\"");
    CHECK(value_of("text", R"({"text":[255,0,65]})") == "text [255,0,65]");
    CHECK(value_of("text", R"({"text":""})") == "text ");
    CHECK(value_of("where", R"({"where":{"x":1,"y":2.5}})") == R"(json {"x":1,"y":2.5})");
    CHECK(value_of("numbers", R"({"numbers":[1,-2]})") == "json [1,-2]");
    CHECK(value_of("form_type", R"({"form_type":"text","form":"x"})") == "text text");
    CHECK(value_of("form", R"({"form_type":"text","form":"x"})") == R"(json "x")");
    CHECK(value_of("nested", R"({"nested":{"name":"n"}})").starts_with(R"(json {"name":"n")"));
}

TEST_CASE("a field that the payload leaves out has its default, or is null", "[codec]") {
    CHECK(value_of("small", "{}") == "integer -3");
    CHECK(value_of("real", "{}") == "real 0.250000");
    CHECK(value_of("not_real", "{}") == "null");
    CHECK(value_of("maybe", "{}") == "null");
    CHECK(value_of("maybe", R"({"maybe":0})") == "integer 0");
    CHECK(value_of("side", "{}") == "text sell");
    CHECK(value_of("rights", "{}") == "text read own");
    CHECK(value_of("text", "{}") == "null");
    CHECK(value_of("child", "{}") == "null");
    CHECK(value_of("form", "{}") == "null");
}

TEST_CASE("a field reader refuses what lies outside the payload", "[codec]") {
    pawl::json_parser parse{everything_schema()};
    const auto whole = parse(R"({"ubig":5,"text":"some text","numbers":[1,2,3]})");
    REQUIRE(whole);
    const pawl::field_reader fields{everything_schema()};
    std::vector<std::byte> bytes{whole->begin(), whole->end()};
    std::string text;
    // Every single byte set to every extreme, and every shorter payload: no crash, and no value
    // that is not one.
    std::size_t refused = 0;
    const auto read_all = [&](std::span<const std::byte> payload) {
        for (std::size_t i = 0; i < fields.count(); ++i)
            refused += fields.read(payload, i, text) ? 0u : 1u;
    };
    for (std::size_t length = 0; length < bytes.size(); ++length)
        read_all(std::span{bytes}.first(length));
    CHECK(refused > 0);
    for (std::byte& byte : bytes) {
        const std::byte before = byte;
        for (const unsigned value : {0u, 1u, 0x7fu, 0x80u, 0xffu}) {
            byte = static_cast<std::byte>(value);
            read_all(bytes);
        }
        byte = before;
    }
    const auto missing = fields.read({}, 0, text);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == pawl::errc::malformed);
}
