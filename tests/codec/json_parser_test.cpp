#include "kinds_bfbs.hpp"
#include "kinds_generated.h"
#include "schema_text.hpp"
#include "shop_bfbs.hpp"
#include "shop_events.hpp"

#include <pawl/codec/decode.hpp>

#include <cstring>
#include <string>

namespace {

const pawl::schema& everything_schema() {
    static const pawl::schema loaded = load_schema(kinds_bfbs(), "kinds.everything");
    return loaded;
}
std::string same(std::string_view text) {
    return through(everything_schema(), text);
}
// Why the text is refused.
std::string refusal(std::string_view text) {
    pawl::json_parser parse{everything_schema()};
    const auto parsed = parse(text);
    if (parsed)
        FAIL("accepted: " << text);
    CHECK(parsed.error().code == pawl::errc::invalid_argument);
    CHECK(parsed.error().offset <= text.size());
    return parsed.error().detail;
}

}  // namespace

TEST_CASE("the parsed payload is the table that the text describes", "[codec]") {
    const pawl::schema order = load_schema(shop_bfbs(), "shop.order_placed");
    pawl::json_parser parse{order};
    const auto bytes = parse(R"( { "tags" : [ "a", "" ],
        "lines": [{"price":{"currency":840,"units":-5},"item":18446744073709551615}, {}],
        "order":"7","price":-1,"note":"\u00e9\ud83d\udc3e" } )");
    REQUIRE(bytes);
    std::vector<std::uint64_t> words((bytes->size() + 7) / 8);
    std::memcpy(words.data(), bytes->data(), bytes->size());
    const auto table = pawl::decode<shop::order_placed>(
        pawl::typed_payload{1, 1, std::as_bytes(std::span{words}).first(bytes->size())});
    REQUIRE(table);
    const shop::order_placed& e = **table;
    CHECK(e.order() == 7);
    CHECK(e.price() == -1);
    CHECK(e.note()->str() == "\xc3\xa9\xf0\x9f\x90\xbe");
    REQUIRE(e.lines()->size() == 2);
    CHECK(e.lines()->Get(0)->item() == ~std::uint64_t{0});
    CHECK(e.lines()->Get(0)->price()->units() == -5);
    CHECK(e.lines()->Get(1)->price() == nullptr);
    REQUIRE(e.tags()->size() == 2);
    CHECK(e.tags()->Get(1)->size() == 0);
}

TEST_CASE("the parser reads the printer's text, and the result prints the same again", "[codec]") {
    for (const char* text :
         {R"({})",
          R"({"truth":true,"small":-128,"octet":255,"word":-32768,"uword":65535})",
          R"({"number":-2147483648,"unumber":4294967295})",
          R"({"big":-9223372036854775808,"ubig":18446744073709551615})",
          R"({"single":3.4028235e+38,"real":-0,"not_real":0})",
          R"j({"real":"NaN","not_real":"NaN(0xfff8000000000001)"})j",
          R"({"single":"-Infinity","real":"Infinity"})",
          R"({"maybe":0,"maybe_true":false,"maybe_side":"sell"})",
          R"({"truth":7})",
          R"({"side":3,"level":"high","rights":0})",
          R"({"rights":"read write own"})",
          R"({"area":{"corner":{"x":1,"y":-0},"cells":[1,2,3],"sides":["buy",9],)"
          R"("points":[{"x":0,"y":0.1},{"x":0,"y":0}]}})",
          R"({"text":"","firm":{"id":1,"name":""}})",
          R"({"text":[97,255]})",
          R"({"child":{"name":"a","next":{"weight":0.1}}})",
          R"({"form_type":"point","form":{"x":1,"y":2}})",
          R"({"form_type":"other","form":{"next":{}}})",
          R"({"form_type":"text","form":"t"})",
          R"({"form_type":"leaf","form":null})",
          R"({"forms_type":["text","NONE","point","leaf"],"forms":["",null,{"x":1,"y":2},{}]})",
          R"({"nested":{"name":"in","next":{}}})",
          R"({"nested":[]})",
          R"({"nested":[1,2,3]})",
          R"({"flex":[1,2],"truths":[true,false],"numbers":[1,-1],"reals":["NaN",1e-13]})",
          R"({"sides":["sell",1],"all_rights":["own",0],"points":[]})",
          R"({"points":[{"x":1,"y":1},{"x":2,"y":2}],"texts":["",[255],"x"],"leaves":[{},{}]})",
          R"({"gone":5})"}) {
        CHECK(same(text) == text);
        CHECK(through(everything_schema(), text,
                      {.long_integers_as_strings = true, .defaults = true}) ==
              through(everything_schema(),
                      through(everything_schema(), text,
                              {.long_integers_as_strings = true, .defaults = true}),
                      {.long_integers_as_strings = true, .defaults = true}));
        // Whatever is shown of the defaults changes nothing.
        CHECK(same(through(everything_schema(), text, {.defaults = true})) == text);
    }
}

TEST_CASE("a union may be given before its type, as tools that sort names do", "[codec]") {
    CHECK(same(R"({"form":{"y":2,"x":1},"form_type":"point"})") ==
          R"({"form_type":"point","form":{"x":1,"y":2}})");
    CHECK(same(R"({"forms":["a",null],"text":"t","forms_type":["text","NONE"]})") ==
          R"({"text":"t","forms_type":["text","NONE"],"forms":["a",null]})");
    CHECK(refusal(R"({"form":{}})") ==
          R"(line 1, column 9, form: a union without its type: "form_type")");
    CHECK(refusal(R"({"form_type":"leaf"})") ==
          "line 1, column 20, form: a union has a type and no value");
    CHECK(refusal(R"({"forms_type":["leaf"],"forms":[]})") ==
          "line 1, column 32, forms: a vector of unions has another number of types, 1");
    CHECK(refusal(R"({"forms_type":["leaf"]})") ==
          "line 1, column 23, forms: a union has a type and no value");
}

TEST_CASE("an error names line, column and field", "[codec]") {
    CHECK(refusal("{\n  \"leaves\": [{}, {\"next\": {\"weight\": tru}}]\n}") ==
          "line 2, column 38, leaves[1].next.weight: expected a number");
    CHECK(refusal(R"({"uword":70000})") ==
          "line 1, column 10, uword: 70000 does not fit ushort (0 to 65535)");
    CHECK(refusal(R"({"ubig":-1})") ==
          "line 1, column 9, ubig: -1 does not fit ulong (0 to 18446744073709551615)");
    CHECK(refusal(R"({"big":9223372036854775808})") ==
          "line 1, column 8, big: 9223372036854775808 does not fit long (-9223372036854775808 to "
          "9223372036854775807)");
    CHECK(refusal(R"({"text":"a","nothing":1})") ==
          R"(line 1, column 13: kinds.everything has no field "nothing")");
    CHECK(refusal(R"({"word":1,"word":1})") == "line 1, column 11, word: the field is given twice");
    CHECK(refusal(R"({"firm":{"id":1}})") ==
          "line 1, column 16, firm.name: a required field is missing");
    CHECK(refusal(R"({"firm":{"name":null}})") ==
          "line 1, column 17, firm.name: null for a field that cannot be absent");
    CHECK(refusal(R"({"where":{"x":1}})") ==
          "line 1, column 16, where.y: a field of a struct is missing");
    CHECK(refusal(R"({"side":"hold"})") ==
          R"(line 1, column 9, side: kinds.side has no value "hold")");
    CHECK(refusal(R"({"rights":"read  write"})") ==
          R"(line 1, column 11, rights: kinds.rights has no value "")");
}

TEST_CASE("a value of another type is refused", "[codec]") {
    for (const char* text :
         {R"({"word":"7"})",
          R"({"word":1.0})",
          R"({"word":1e2})",
          R"({"word":true})",
          R"({"word":null})",
          R"({"word":[1]})",
          R"({"truth":1})",
          R"({"truth":"true"})",
          R"({"text":7})",
          R"({"text":[256]})",
          R"({"text":[-1]})",
          R"({"child":[]})",
          R"({"numbers":{}})",
          R"({"numbers":[null]})",
          R"({"real":"1"})",
          R"({"real":"nan"})",
          R"({"real":1e999})",
          R"({"single":1e39})",
          R"({"side":256})",
          R"({"side":-1})",
          R"({"level":"1.5"})",
          R"({"big":"1 "})",
          R"({"big":""})",
          R"({"big":"01"})",
          R"({"texts":[null]})",
          R"({"leaves":[null]})",
          R"({"form_type":9})",
          R"({"form_type":9,"form":null})",
          R"({"form_type":null})",
          R"({"form_type":"NONE","form":{}})",
          R"({"area":{"corner":{"x":1,"y":0},"cells":[1,2],"sides":["buy",9],"points":[]}})",
          R"({"nested":{"nothing":1}})",
          R"({"nested":"abc"})",
          R"j({"real":"NaN(0x7ff0000000000000)"})j"})
        CHECK_THAT(refusal(text), Catch::StartsWith("line 1, column "));
}

TEST_CASE("what is not quite JSON is refused", "[codec]") {
    for (const char* text : {"",
                             " ",
                             "{",
                             "}",
                             "[]",
                             "null",
                             "{} {}",
                             "{}x",
                             R"({"word":1,})",
                             R"({"word" 1})",
                             R"({word:1})",
                             R"({'word':1})",
                             R"({"word":1 /* one */})",
                             "{\"word\":1 // one\n}",
                             R"({"word":01})",
                             R"({"word":+1})",
                             R"({"word":-})",
                             R"({"word":0x1})",
                             R"({"real":.5})",
                             R"({"real":1.})",
                             R"({"real":1e})",
                             R"({"real":NaN})",
                             R"({"text":"a)",
                             "{\"text\":\"a\nb\"}",
                             R"({"text":"\x"})",
                             R"({"text":"\u12"})",
                             R"({"text":"\ud800"})",
                             R"({"text":"\udc00"})",
                             R"({"text":"\ud800\u0041"})",
                             R"({"text":"\ud800\)",
                             R"({"text":"\)",
                             "{\"text\":\"\xff\"}",
                             "{\"text\":\"\\n\xff\"}",
                             R"({"numbers":[1,]})",
                             R"({"numbers":[,1]})",
                             R"({"numbers":[1 2]})",
                             R"({"truth":truely})",
                             R"({"text":nul})",
                             R"({"text":nullx})",
                             "\xef\xbb\xbf{}",
                             R"({"form":[1,{"a":}],"form_type":"leaf"})"})
        CHECK_THAT(refusal(text), Catch::StartsWith("line "));
}

TEST_CASE("a parser continues after an event that it refused", "[codec]") {
    pawl::json_parser parse{everything_schema()};
    for (const char* broken : {R"({"leaves":[{"name":"a"},{"name":)", R"({"nested":{"name":"in",)",
                               R"({"points":[{"x":1,"y":2},{"x":1}]})"}) {
        REQUIRE_FALSE(parse(broken));
        const auto good = parse(R"({"text":"t","leaves":[{}]})");
        REQUIRE(good);
        CHECK(print(everything_schema(), *good) == R"({"text":"t","leaves":[{}]})");
    }
}

TEST_CASE("a text is held to the limits that its payload would be held to", "[codec]") {
    const auto code = [](std::string_view text, const pawl::verify_limits& limits) {
        pawl::json_parser parse{everything_schema(), limits};
        const auto parsed = parse(text);
        return parsed ? pawl::errc{} : parsed.error().code;
    };
    const std::string deep = R"({"child":{"next":{"next":{}}}})";
    CHECK(code(deep, {.max_depth = 4}) == pawl::errc{});
    CHECK(code(deep, {.max_depth = 3}) == pawl::errc::too_large);
    const std::string many = R"({"leaves":[{},{},{}]})";
    CHECK(code(many, {.max_tables = 4}) == pawl::errc{});
    CHECK(code(many, {.max_tables = 3}) == pawl::errc::too_large);
    std::string large = R"({"text":")" + std::string(2000, 'x') + R"("})";
    CHECK(code(large, {}) == pawl::errc{});
    CHECK(code(large, {.max_bytes = 2000}) == pawl::errc::too_large);
    CHECK(code(R"({"nested":)" + large.replace(2, 4, "name") + "}", {.max_bytes = 2200}) ==
          pawl::errc{});
    CHECK(code(R"({"nested":)" + large + "}", {.max_bytes = 2020}) == pawl::errc::too_large);
    const std::string unions(600, '[');
    CHECK(code(R"({"form":)" + unions, {}) == pawl::errc::too_large);
}
