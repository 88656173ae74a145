// Writes the canonical form of a schema: a binary schema that depends only on the layout. Anything
// that a later flatc may add or compute differently (element sizes, feature bits, padding) is
// computed here.
#include "schema/layout.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

namespace pawl::detail {

namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::Vector;

class canonical_encoder {
  public:
    explicit canonical_encoder(const schema_layout& from) : from_{from} {}

    std::vector<std::byte> encode() {
        std::vector<Offset<reflection::Enum>> enums;
        enums.reserve(from_.enums.size());
        for (const enum_layout& one : from_.enums)
            enums.push_back(encode(one));
        std::vector<Offset<reflection::Object>> objects;
        objects.reserve(from_.objects.size());
        for (const object_layout& one : from_.objects)
            objects.push_back(encode(one));
        const auto all_enums = builder_.CreateVector(enums);
        const auto all_objects = builder_.CreateVector(objects);
        const auto no_text = builder_.CreateString("", std::size_t{0});
        const auto root = objects[static_cast<std::size_t>(from_.root)];
        reflection::FinishSchemaBuffer(
            builder_, reflection::CreateSchema(builder_, all_objects, all_enums, no_text, no_text,
                                               root, 0, features()));
        const auto* data = reinterpret_cast<const std::byte*>(builder_.GetBufferPointer());
        return {data, data + builder_.GetSize()};
    }

  private:
    using attributes_offset = Offset<Vector<Offset<reflection::KeyValue>>>;

    attributes_offset encode(const attribute_list& attributes) {
        if (attributes.empty())
            return 0;
        std::vector<Offset<reflection::KeyValue>> all;
        for (const auto& [key, value] : attributes) {
            const auto key_text = builder_.CreateString(key);
            all.push_back(
                reflection::CreateKeyValue(builder_, key_text, builder_.CreateString(value)));
        }
        return builder_.CreateVector(all);
    }

    Offset<reflection::Type> encode(const value_type& type, multiplicity many,
                                    std::uint16_t length) {
        const std::int32_t index = type.base == reflection::Obj ? type.object : type.enumeration;
        const auto size = [](base_type base) {
            return static_cast<std::uint32_t>(flatbuffers::GetTypeSize(base));
        };
        if (many == multiplicity::one)
            return reflection::CreateType(builder_, type.base, reflection::None, index, 0,
                                          size(type.base), 1);
        const base_type container =
            many == multiplicity::vector ? reflection::Vector : reflection::Array;
        return reflection::CreateType(builder_, container, type.base, index, length, 4,
                                      size(type.base));
    }

    Offset<reflection::Enum> encode(const enum_layout& from) {
        std::vector<Offset<reflection::EnumVal>> values;
        for (const enum_value& one : from.values) {
            const auto name = builder_.CreateString(one.name);
            const auto type = encode(one.member, multiplicity::one, 0);
            values.push_back(reflection::CreateEnumVal(builder_, name, one.value, type));
        }
        attribute_list attributes = from.attributes;
        if (from.bit_flags)
            attributes.emplace_back("bit_flags", "0");
        std::ranges::sort(attributes);
        const auto name = builder_.CreateString(from.name);
        const auto all = builder_.CreateVector(values);
        value_type underlying{.base = from.underlying};
        underlying.enumeration =
            static_cast<std::int32_t>(&from - from_.enums.data());  // as flatc writes it
        const auto type = encode(underlying, multiplicity::one, 0);
        return reflection::CreateEnum(builder_, name, all, from.is_union, type, encode(attributes));
    }

    Offset<reflection::Object> encode(const object_layout& from) {
        // FlatBuffers looks fields up by name.
        std::vector<Offset<reflection::Field>> fields;
        fields.reserve(from.by_name.size());
        for (const std::uint16_t position : from.by_name)
            fields.push_back(encode(from, from.fields[position]));
        const auto name = builder_.CreateString(from.name);
        const auto all = builder_.CreateVector(fields);
        const auto attributes = encode(from.attributes);
        return reflection::CreateObject(builder_, name, all, from.is_struct,
                                        static_cast<std::int32_t>(from.align),
                                        static_cast<std::int32_t>(from.bytes), attributes);
    }

    Offset<reflection::Field> encode(const object_layout& in, const field_layout& from) {
        attribute_list attributes = from.attributes;
        if (from.flexbuffer)
            attributes.emplace_back("flexbuffer", "0");
        if (from.nested_object >= 0)
            attributes.emplace_back("nested_flatbuffer", from_.object(from.nested_object).name);
        std::ranges::sort(attributes);
        const auto name = builder_.CreateString(from.name);
        const auto type = encode(from.type, from.many, from.array_length);
        const auto all = encode(attributes);
        reflection::FieldBuilder field{builder_};
        add_default(from);
        field.add_attributes(all);
        field.add_type(type);
        field.add_name(name);
        field.add_padding(padding_after(in, from));
        field.add_offset(from.offset);
        field.add_id(from.id);
        field.add_optional(!in.is_struct && (from.holds_scalar() ? from.optional : !from.required));
        field.add_key(from.is_key);
        field.add_required(from.required);
        field.add_deprecated(from.deprecated);
        return field.Finish();
    }

    // Written if any bit of it is set: FlatBuffers itself would take -0.0 for the default.
    void add_default(const field_layout& from) {
        if (!from.holds_scalar() || from.default_bits == 0)
            return;
        if (from.type.base == reflection::Double) {
            builder_.AddElement(reflection::Field::VT_DEFAULT_REAL,
                                std::bit_cast<double>(from.default_bits));
        } else if (from.type.base == reflection::Float) {
            const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(from.default_bits));
            builder_.AddElement(reflection::Field::VT_DEFAULT_REAL, static_cast<double>(value));
        } else {
            builder_.AddElement(reflection::Field::VT_DEFAULT_INTEGER, integer_of(from));
        }
    }

    static std::int64_t integer_of(const field_layout& from) {
        const auto bits = from.default_bits;
        switch (from.type.base) {
            case reflection::Byte:
                return static_cast<std::int8_t>(bits);
            case reflection::Short:
                return static_cast<std::int16_t>(bits);
            case reflection::Int:
                return static_cast<std::int32_t>(bits);
            default:
                return static_cast<std::int64_t>(bits);
        }
    }

    [[nodiscard]] static std::uint16_t padding_after(const object_layout& in,
                                                     const field_layout& at) {
        if (!in.is_struct)
            return 0;
        const std::uint32_t count = at.many == multiplicity::array ? at.array_length : 1;
        const std::uint32_t end = at.offset + count * at.type.bytes;
        const std::size_t next = at.id + std::size_t{1};
        return static_cast<std::uint16_t>(
            (next < in.fields.size() ? in.fields[next].offset : in.bytes) - end);
    }

    [[nodiscard]] reflection::AdvancedFeatures features() const {
        std::uint64_t bits = 0;
        for (const object_layout& object : from_.objects) {
            for (const field_layout& field : object.fields) {
                if (field.many == multiplicity::array)
                    bits |= reflection::AdvancedArrayFeatures;
                if (field.many == multiplicity::vector && field.type.base == reflection::Union)
                    bits |= reflection::AdvancedUnionFeatures;
                if (field.optional)
                    bits |= reflection::OptionalScalars;
            }
        }
        for (const enum_layout& one : from_.enums)
            for (const enum_value& value : one.values)
                if (value.member.base == reflection::String ||
                    (value.member.base == reflection::Obj &&
                     from_.object(value.member.object).is_struct))
                    bits |= reflection::AdvancedUnionFeatures;
        return static_cast<reflection::AdvancedFeatures>(bits);
    }

    const schema_layout& from_;
    FlatBufferBuilder builder_;
};

}  // namespace

std::vector<std::byte> encode_canonical(const schema_layout& from) {
    return canonical_encoder{from}.encode();
}

}  // namespace pawl::detail
