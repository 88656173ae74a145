#include "kinds_bfbs.hpp"
#include "schema_text.hpp"
#include "shop_bfbs.hpp"

#include <flatbuffers/reflection.h>

#include <algorithm>
#include <string>

namespace {

bool same(const pawl::schema& a, const pawl::schema& b) {
    return std::ranges::equal(a.bytes(), b.bytes());
}

pawl::errc code_of(std::span<const std::byte> bfbs, std::string_view table = {}) {
    const auto loaded = pawl::schema::load(bfbs, table);
    REQUIRE_FALSE(loaded);
    return loaded.error().code;
}

}  // namespace

TEST_CASE("the same table has the same bytes, wherever it was described", "[codec]") {
    const std::string tables = R"(
        namespace a;
        enum side : ubyte { buy, sell }
        struct point { x: int; y: int; }
        table leaf { name: string; }
        table order { id: ulong; side: side; at: point; leaves: [leaf];
                      inner: [ubyte] (nested_flatbuffer: "leaf"); })";
    const std::string others = R"(
        /// A comment, and tables in another order with ids that are spelled out.
        namespace z; table unrelated { x: [float]; maybe: int = null; }
        namespace a;
        enum side : ubyte { buy, sell }
        table before { y: int; }
        table order { leaves: [leaf] (id: 3); id: ulong (id: 0); side: side (id: 1);
                      inner: [ubyte] (id: 4, nested_flatbuffer: "leaf"); at: point (id: 2); }
        table leaf { name: string; }
        struct point { x: int; y: int; }
        root_type before; file_identifier "ABCD"; file_extension "dat";)";
    const pawl::schema one = schema_of(tables, "a.order");
    const pawl::schema other = schema_of(others, "a.order");
    CHECK(same(one, other));
    CHECK(one.table() == "a.order");
    // Another table, or the same with one field more, has others.
    CHECK_FALSE(same(one, schema_of(tables, "a.leaf")));
    CHECK_FALSE(same(schema_of(tables, "a.leaf"),
                     schema_of("namespace a; table leaf { name: string; n: int; }", "a.leaf")));
}

TEST_CASE("a canonical schema is a binary schema again, and its own canonical form", "[codec]") {
    const pawl::schema first = load_schema(kinds_bfbs(), "kinds.everything");
    const pawl::schema second = load_schema(first.bytes(), {});
    CHECK(same(first, second));
    CHECK(second.table() == "kinds.everything");
    // FlatBuffers itself can read it.
    flatbuffers::Verifier verifier{reinterpret_cast<const std::uint8_t*>(first.bytes().data()),
                                   first.bytes().size()};
    REQUIRE(reflection::VerifySchemaBuffer(verifier));
    const reflection::Schema& read = *reflection::GetSchema(first.bytes().data());
    CHECK(read.root_table()->name()->str() == "kinds.everything");
    REQUIRE(read.objects()->LookupByKey("kinds.leaf") != nullptr);
    CHECK(read.objects()->LookupByKey("kinds.leaf")->fields()->LookupByKey("next") != nullptr);
    CHECK(read.enums()->LookupByKey("kinds.rights") != nullptr);
    CHECK(first.bytes().size() < kinds_bfbs().size());
}

TEST_CASE("a schema holds what its table reaches, and nothing else", "[codec]") {
    const pawl::schema chain = load_schema(shop_bfbs(), "shop.chain");
    const std::string_view bytes{reinterpret_cast<const char*>(chain.bytes().data()),
                                 chain.bytes().size()};
    CHECK(bytes.find("shop.chain") != std::string_view::npos);
    CHECK(bytes.find("order_placed") == std::string_view::npos);
    CHECK(bytes.find(".fbs") == std::string_view::npos);
}

TEST_CASE("a schema that no event can have is refused", "[codec]") {
    CHECK(code_of(shop_bfbs(), "shop.nothing") == pawl::errc::not_found);
    CHECK(code_of(shop_bfbs()) == pawl::errc::not_found);  // there is no root type
    CHECK(code_of(shop_bfbs(), "shop.money") == pawl::errc::invalid_argument);
    CHECK(code_of(shop_bfbs(), "shop.holds_wide") == pawl::errc::invalid_argument);
    CHECK(code_of({}) == pawl::errc::malformed);
    CHECK(code_of(std::as_bytes(std::span{"no schema, however long it may be"})) ==
          pawl::errc::malformed);
}

TEST_CASE("a schema is held to its limits", "[codec]") {
    const auto large = pawl::schema::load(kinds_bfbs(), "kinds.everything", {.max_bytes = 100});
    REQUIRE_FALSE(large);
    CHECK(large.error().code == pawl::errc::too_large);
    const auto many = pawl::schema::load(kinds_bfbs(), "kinds.everything", {.max_types = 5});
    REQUIRE_FALSE(many);
    CHECK(many.error().code == pawl::errc::too_large);
}

namespace {

// One table with one field, by default a sound one; FlatBuffers' verifier passes every one of them.
struct single_field {
    const char* table = "t";
    const char* name = "x";
    int base = reflection::Int;  // any byte, also one that stands for no type
    reflection::BaseType element = reflection::None;
    int index = -1;
    std::uint16_t length = 0;
    std::uint16_t id = 0;
    std::uint16_t offset = 4;
    std::int64_t default_integer = 0;
    bool required = false;
    bool is_struct = false;
    int align = 1;
    int bytes = 0;
};

std::vector<std::byte> describe(const single_field& with) {
    flatbuffers::FlatBufferBuilder b;
    const auto start = b.StartTable();
    b.AddElement(reflection::Type::VT_BASE_TYPE, static_cast<std::int8_t>(with.base));
    b.AddElement(reflection::Type::VT_ELEMENT, static_cast<std::int8_t>(with.element));
    b.AddElement(reflection::Type::VT_INDEX, with.index);
    b.AddElement(reflection::Type::VT_FIXED_LENGTH, with.length);
    const flatbuffers::Offset<reflection::Type> type{b.EndTable(start)};
    const auto name = b.CreateString(with.name);
    const auto field = reflection::CreateField(b, name, type, with.id, with.offset,
                                               with.default_integer, 0.0, false, with.required);
    const auto fields = b.CreateVector(&field, 1);
    const auto object = reflection::CreateObject(b, b.CreateString(with.table), fields,
                                                 with.is_struct, with.align, with.bytes);
    const auto objects = b.CreateVector(&object, 1);
    const auto enums = b.CreateVector(std::vector<flatbuffers::Offset<reflection::Enum>>{});
    reflection::FinishSchemaBuffer(b, reflection::CreateSchema(b, objects, enums, 0, 0, object));
    const auto* data = reinterpret_cast<const std::byte*>(b.GetBufferPointer());
    flatbuffers::Verifier verifier{b.GetBufferPointer(), b.GetSize()};
    CHECK(reflection::VerifySchemaBuffer(verifier));
    return {data, data + b.GetSize()};
}

}  // namespace

TEST_CASE("a schema that contradicts itself is malformed, though FlatBuffers verifies it",
          "[codec]") {
    REQUIRE(pawl::schema::load(describe({})));
    CHECK(code_of(describe({.table = "t\"x"})) == pawl::errc::malformed);
    CHECK(code_of(describe({.table = ""})) == pawl::errc::malformed);
    CHECK(code_of(describe({.name = "a\nb"})) == pawl::errc::malformed);
    CHECK(code_of(describe({.base = reflection::Obj})) == pawl::errc::malformed);
    CHECK(code_of(describe({.base = reflection::Obj, .index = 7})) == pawl::errc::malformed);
    CHECK(code_of(describe({.index = 0})) == pawl::errc::malformed);  // an enum that is not there
    CHECK(code_of(describe({.base = reflection::Union, .index = 0})) == pawl::errc::malformed);
    CHECK(code_of(describe({.base = reflection::UType})) == pawl::errc::malformed);
    CHECK(code_of(describe({.base = reflection::None})) == pawl::errc::malformed);
    CHECK(code_of(describe({.base = 77})) == pawl::errc::malformed);
    CHECK(code_of(describe({.base = -1})) == pawl::errc::malformed);
    CHECK(code_of(describe({.base = reflection::Vector, .element = reflection::Vector})) ==
          pawl::errc::malformed);
    CHECK(code_of(describe({.base = reflection::Array, .element = reflection::Int, .length = 2})) ==
          pawl::errc::malformed);
    CHECK(code_of(describe({.id = 1})) == pawl::errc::malformed);
    CHECK(code_of(describe({.offset = 6})) == pawl::errc::malformed);
    CHECK(code_of(describe({.base = reflection::Byte, .default_integer = 128})) ==
          pawl::errc::malformed);
    CHECK(code_of(describe({.required = true})) == pawl::errc::malformed);
}

TEST_CASE("a struct whose layout cannot be is malformed", "[codec]") {
    const auto of = [](single_field with) {
        with.is_struct = true;
        return code_of(describe(with));
    };
    // A sound struct is only no event.
    CHECK(of({.offset = 0, .align = 4, .bytes = 4}) == pawl::errc::invalid_argument);
    CHECK(of({.offset = 4, .align = 4, .bytes = 4}) == pawl::errc::malformed);
    CHECK(of({.offset = 2, .align = 4, .bytes = 8}) == pawl::errc::malformed);
    CHECK(of({.offset = 0, .align = 2, .bytes = 4}) == pawl::errc::malformed);
    CHECK(of({.offset = 0, .align = 3, .bytes = 6}) == pawl::errc::malformed);
    CHECK(of({.offset = 0, .align = 0, .bytes = 4}) == pawl::errc::malformed);
    CHECK(of({.offset = 0, .align = 4, .bytes = -4}) == pawl::errc::malformed);
    CHECK(of({.offset = 0, .align = 16, .bytes = 16}) == pawl::errc::invalid_argument);
    CHECK(of({.base = reflection::String, .offset = 0, .align = 4, .bytes = 4}) ==
          pawl::errc::malformed);
    // It holds itself.
    CHECK(of({.base = reflection::Obj, .index = 0, .offset = 0, .align = 4, .bytes = 4}) ==
          pawl::errc::malformed);
    CHECK(of({.base = reflection::Array,
              .element = reflection::Int,
              .length = 3,
              .offset = 0,
              .align = 4,
              .bytes = 8}) == pawl::errc::malformed);
}
