// Structs, vectors, strings, unions and nested FlatBuffers.
#include "json/parser.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pawl::detail {

// The text must give every field: a struct cannot have absent ones.
bool json_parser_state::structure(const object_layout& type, std::size_t at) {
    const std::size_t first_slot = slots_.size();
    slots_.resize(first_slot + type.fields.size());
    const auto value = [&](const field_layout& field) {
        slots_[first_slot + field.id].has = content::structure;
        return inside_struct(field, at + field.offset);
    };
    if (!members(type, first_slot, value))
        return false;
    for (const field_layout& field : type.fields) {
        if (slots_[first_slot + field.id].has == content::absent) {
            path_.push_back({&field.name, 0});
            return refuse(in_.position() - 1, "a field of a struct is missing");
        }
    }
    slots_.resize(first_slot);
    return true;
}

bool json_parser_state::inside_struct(const field_layout& field, std::size_t at) {
    if (field.many == multiplicity::one)
        return single_inside_struct(field.type, at);
    std::size_t count = 0;
    const std::size_t start = in_.position();
    const auto wrong_length = [&] {
        return refuse(start,
                      "an array of another length than " + std::to_string(field.array_length));
    };
    const auto element = [&] {
        if (count == field.array_length)
            return wrong_length();
        return single_inside_struct(field.type, at + field.type.bytes * count++);
    };
    return elements(element) && (count == field.array_length || wrong_length());
}

bool json_parser_state::single_inside_struct(const value_type& type, std::size_t at) {
    if (type.base == reflection::Obj)
        return structure(schema_.object(type.object), at);
    std::uint64_t bits = 0;
    if (!scalar(type, bits))
        return false;
    std::memcpy(scratch_.data() + at, &bits, type.bytes);
    return true;
}

bool json_parser_state::string(offset& to) {
    std::string_view text;
    if (in_.peek() == '"') {
        if (!in_.string(text))
            return false;
        to = builder_->CreateString(text.data(), text.size()).o;
        return within_size();
    }
    if (in_.peek() != '[')
        return refuse(in_.position(), "expected a string, or an array of its bytes");
    const std::size_t first = scratch_.size();
    const auto byte = [&] {
        std::uint64_t bits = 0;
        if (!integer({.base = reflection::UByte, .bytes = 1, .align = 1}, bits))
            return false;
        scratch_.push_back(static_cast<std::byte>(bits));
        return true;
    };
    if (!elements(byte))
        return false;
    const auto* bytes = reinterpret_cast<const char*>(scratch_.data() + first);
    to = builder_->CreateString(bytes, scratch_.size() - first).o;
    scratch_.resize(first);
    return within_size();
}

bool json_parser_state::vector(const field_layout& field, offset& to) {
    if (field.nested_object >= 0 && in_.peek() == '{')
        return nested(schema_.object(field.nested_object), to);
    const bool lies_inline =
        flatbuffers::IsScalar(field.type.base) ||
        (field.type.base == reflection::Obj && schema_.object(field.type.object).is_struct);
    return lies_inline ? inline_elements(field.type, to) : referred_elements(field.type, to);
}

bool json_parser_state::inline_elements(const value_type& type, offset& to) {
    const std::size_t first = scratch_.size();
    std::size_t count = 0;
    const auto element = [&] {
        const std::size_t at = scratch_.size();
        scratch_.resize(at + type.bytes);
        ++count;
        return single_inside_struct(type, at) && within_size();
    };
    if (!elements(element))
        return false;
    const std::size_t bytes = scratch_.size() - first;
    builder_->StartVector(bytes / type.align, type.align);
    if (bytes != 0)
        builder_->PushBytes(reinterpret_cast<const std::uint8_t*>(scratch_.data() + first), bytes);
    to = builder_->EndVector(count);
    scratch_.resize(first);
    return within_size();
}

bool json_parser_state::referred_elements(const value_type& type, offset& to) {
    const std::size_t first = offsets_.size();
    const auto element = [&] {
        offset at = 0;
        if (!(type.base == reflection::String ? string(at)
                                              : table(schema_.object(type.object), at)))
            return false;
        offsets_.push_back(at);
        return true;
    };
    if (!elements(element))
        return false;
    to = write_offsets(first);
    return within_size();
}

// An offset of 0 means no element, as in a vector of unions.
json_parser_state::offset json_parser_state::write_offsets(std::size_t first) {
    const std::size_t count = offsets_.size() - first;
    builder_->StartVector(count, sizeof(offset));
    for (std::size_t i = offsets_.size(); i-- > first;) {
        if (offsets_[i] == 0)
            builder_->PushElement(offset{0});
        else
            builder_->PushElement(flatbuffers::Offset<void>{offsets_[i]});
    }
    offsets_.resize(first);
    return builder_->EndVector(count);
}

bool json_parser_state::union_value(const field_layout& field, const slot& type, slot& to) {
    const enum_value* chosen =
        schema_.enumeration(field.type.enumeration).find(static_cast<std::int64_t>(type.value));
    if (chosen == nullptr)
        return refuse(type.position, "the union has no member " + std::to_string(type.value));
    if (chosen->value == 0)
        return refuse(to.position, "a value for a union of type NONE");
    to.has = content::reference;
    offset at = 0;
    if (!member(*chosen, at))
        return false;
    to.value = at;
    return true;
}

bool json_parser_state::union_vector(const field_layout& field, const slot& types, slot& to) {
    if (types.has != content::reference)
        return refuse(to.position, "a vector of unions without their types");
    // Copied, because building the members can move the builder's memory.
    const auto* written = reinterpret_cast<const flatbuffers::Vector<std::uint8_t>*>(
        builder_->GetCurrentBufferPointer() + builder_->GetSize() - types.value);
    const std::size_t first_type = scratch_.size();
    const std::size_t count = written->size();
    const auto* copied = reinterpret_cast<const std::byte*>(written->data());
    scratch_.insert(scratch_.end(), copied, copied + count);
    const std::size_t first = offsets_.size();
    const auto wrong_count = [&] {
        return refuse(to.position,
                      "a vector of unions has another number of types, " + std::to_string(count));
    };
    const auto element = [&] {
        const std::size_t index = offsets_.size() - first;
        if (index == count)
            return wrong_count();
        const auto type = static_cast<std::uint8_t>(scratch_[first_type + index]);
        const enum_value* one = schema_.enumeration(field.type.enumeration).find(type);
        offset at = 0;
        if (one == nullptr)
            return refuse(in_.position(), "the union has no member " + std::to_string(type));
        if (one->value == 0
                ? !in_.take_word("null") && !refuse(in_.position(), "expected null for a NONE")
                : !member(*one, at))
            return false;
        offsets_.push_back(at);
        return true;
    };
    if (!elements(element) || (offsets_.size() - first != count && !wrong_count()))
        return false;
    scratch_.resize(first_type);
    to.has = content::reference;
    to.value = write_offsets(first);
    return within_size();
}

bool json_parser_state::member(const enum_value& chosen, offset& to) {
    const value_type& type = chosen.member;
    if (type.base == reflection::String)
        return string(to);
    const object_layout& object = schema_.object(type.object);
    if (!object.is_struct)
        return table(object, to);
    const std::size_t at = scratch_.size();
    scratch_.resize(at + object.bytes);
    if (!structure(object, at))
        return false;
    builder_->Align(object.align);
    builder_->PushBytes(reinterpret_cast<const std::uint8_t*>(scratch_.data() + at), object.bytes);
    to = builder_->GetSize();
    scratch_.resize(at);
    return within_size();
}

bool json_parser_state::nested(const object_layout& type, offset& to) {
    const std::size_t level = level_;
    const std::uint32_t tables = std::exchange(tables_, 0);
    const std::size_t size = builder_->GetSize();
    open_builder(level + 1);
    if (!root(type))
        return false;
    const flatbuffers::FlatBufferBuilder& inside = *builder_;
    open_builder(level);
    tables_ = tables;
    if (size + inside.GetSize() > limits_.max_bytes)
        return refuse(in_.position(), "the event is larger than its limit", errc::too_large);
    // The nested FlatBuffer's tables are aligned relative to its own start.
    builder_->ForceVectorAlignment(inside.GetSize(), 1, inside.GetBufferMinAlignment());
    to = builder_->CreateVector(inside.GetBufferPointer(), inside.GetSize()).o;
    return true;
}

}  // namespace pawl::detail
