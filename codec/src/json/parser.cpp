#include "json/parser.hpp"

#include <pawl/journal/detail/guarded.hpp>

#include <cstring>
#include <memory>
#include <utility>

namespace pawl::detail {

bool json_parser_state::refuse(std::size_t at, std::string reason, errc code) {
    return in_.fail(at, std::move(reason), code);
}

error json_parser_state::failure() const {
    error made{.code = in_.code, .offset = in_.failed_at, .detail = in_.place(in_.failed_at)};
    std::string& text = made.detail;
    for (std::size_t i = 0; i < path_.size(); ++i) {
        if (path_[i].field != nullptr) {
            text += i == 0 ? ", " : ".";
            text += *path_[i].field;
        } else {
            text += '[';
            text += std::to_string(path_[i].index);
            text += ']';
        }
    }
    text += ": ";
    text += in_.why;
    return made;
}

void json_parser_state::open_builder(std::size_t level) {
    if (builders_.size() == level)
        builders_.push_back(std::make_unique<flatbuffers::FlatBufferBuilder>());
    level_ = level;
    builder_ = builders_[level].get();
}

result<std::span<const std::byte>> json_parser_state::parse(std::string_view text) {
    in_.restart(text);
    path_.clear();
    slots_.clear();
    scratch_.clear();
    offsets_.clear();
    depth_ = 0;
    tables_ = 0;
    open_builder(0);
    if (!root(schema_.object(schema_.root)) ||
        (!in_.at_end() && !refuse(in_.position(), "more text after the event")))
        return std::unexpected(failure());
    return std::span{reinterpret_cast<const std::byte*>(builder_->GetBufferPointer()),
                     builder_->GetSize()};
}

bool json_parser_state::root(const object_layout& type) {
    // Also closes the table that a failed event left open.
    builder_->Clear();
    offset at = 0;
    if (!table(type, at))
        return false;
    builder_->Finish(flatbuffers::Offset<flatbuffers::Table>{at});
    return within_size();
}

// Checked while building, so that no text makes the builder grow far beyond the limit.
bool json_parser_state::within_size() {
    return builder_->GetSize() + scratch_.size() <= limits_.max_bytes ||
           refuse(in_.position(),
                  "the event is larger than " + std::to_string(limits_.max_bytes) + " bytes",
                  errc::too_large);
}

bool json_parser_state::table(const object_layout& type, offset& to) {
    (void)in_.peek();
    if (++depth_ > limits_.max_depth)
        return refuse(in_.position(),
                      "tables are nested deeper than " + std::to_string(limits_.max_depth),
                      errc::too_large);
    if (++tables_ > limits_.max_tables)
        return refuse(in_.position(),
                      "the event holds more than " + std::to_string(limits_.max_tables) + " tables",
                      errc::too_large);
    const std::size_t first_slot = slots_.size();
    const std::size_t first_byte = scratch_.size();
    slots_.resize(first_slot + type.fields.size());
    const auto value = [&](const field_layout& field) { return field_value(first_slot, field); };
    if (!members(type, first_slot, value) || !deferred_unions(type, first_slot) ||
        !complete(type, first_slot))
        return false;
    to = write(type, first_slot);
    slots_.resize(first_slot);
    scratch_.resize(first_byte);
    --depth_;
    return within_size();
}

bool json_parser_state::field_value(std::size_t first_slot, const field_layout& field) {
    slot made = slots_[first_slot + field.id];
    if (in_.take_word("null")) {
        if (field.required || (field.holds_scalar() && !field.optional))
            return refuse(made.position, "null for a field that cannot be absent");
        made.has = content::null;
    } else if (field.holds_scalar()) {
        made.has = content::scalar;
        if (!scalar(field.type, made.value))
            return false;
    } else if (field.type.base == reflection::Union) {
        const auto type_field = static_cast<std::size_t>(field.type_field);
        const slot types = slots_[first_slot + type_field];
        if (types.has == content::absent) {
            made.has = content::deferred;  // its type may follow
            if (!in_.skip_value())
                return false;
        } else if (!(field.many == multiplicity::vector ? union_vector(field, types, made)
                                                        : union_value(field, types, made))) {
            return false;
        }
    } else if (!reference(field, made)) {
        return false;
    }
    slots_[first_slot + field.id] = made;
    return true;
}

bool json_parser_state::reference(const field_layout& field, slot& to) {
    to.has = content::reference;
    offset at = 0;
    if (field.many == multiplicity::vector) {
        if (!vector(field, at))
            return false;
    } else if (field.type.base == reflection::String) {
        if (!string(at))
            return false;
    } else if (const object_layout& object = schema_.object(field.type.object); object.is_struct) {
        to.has = content::structure;
        to.value = scratch_.size();
        scratch_.resize(scratch_.size() + object.bytes);
        return structure(object, static_cast<std::size_t>(to.value));
    } else if (!table(object, at)) {
        return false;
    }
    to.value = at;
    return true;
}

// Parses the unions whose type came after them, and refuses those whose type never came.
bool json_parser_state::deferred_unions(const object_layout& type, std::size_t first_slot) {
    const std::size_t end = in_.position();
    for (const field_layout& field : type.fields) {
        if (slots_[first_slot + field.id].has != content::deferred)
            continue;
        slot made = slots_[first_slot + field.id];
        const slot types = slots_[first_slot + static_cast<std::size_t>(field.type_field)];
        path_.push_back({&field.name, 0});
        if (types.has == content::absent)
            return refuse(made.position, "a union without its type: \"" + field.name + "_type\"");
        in_.back_to(made.position);
        if (!(field.many == multiplicity::vector ? union_vector(field, types, made)
                                                 : union_value(field, types, made)))
            return false;
        path_.pop_back();
        slots_[first_slot + field.id] = made;
    }
    in_.back_to(end);
    return true;
}

// Called after the closing brace.
bool json_parser_state::complete(const object_layout& type, std::size_t first_slot) {
    for (const field_layout& field : type.fields) {
        if (!field.required && field.type.base != reflection::Union)
            continue;
        const slot& given = slots_[first_slot + field.id];
        path_.push_back({&field.name, 0});
        if (field.required && given.has == content::absent)
            return refuse(in_.position() - 1, "a required field is missing");
        if (field.type.base == reflection::Union) {
            const slot& types = slots_[first_slot + static_cast<std::size_t>(field.type_field)];
            const bool typed = field.many == multiplicity::vector
                                   ? types.has == content::reference
                                   : types.has == content::scalar && types.value != 0;
            // The schema must know the type even if the value is null: it could not be printed
            // otherwise.
            if (types.has == content::scalar &&
                schema_.enumeration(field.type.enumeration)
                        .find(static_cast<std::int64_t>(types.value)) == nullptr)
                return refuse(types.position,
                              "the union has no member " + std::to_string(types.value));
            const bool missing = field.many == multiplicity::vector
                                     ? given.has != content::reference
                                     : given.has == content::absent;
            if (typed && missing)
                return refuse(in_.position() - 1, "a union has a type and no value");
        }
        path_.pop_back();
    }
    return true;
}

json_parser_state::offset json_parser_state::write(const object_layout& type,
                                                   std::size_t first_slot) {
    const offset start = builder_->StartTable();
    // Writes wide fields first, so that none needs padding.
    for (const std::size_t align : {8U, 4U, 2U, 1U})
        for (const field_layout& field : type.fields)
            write(field, slots_[first_slot + field.id], align);
    return builder_->EndTable(start);
}

void json_parser_state::write(const field_layout& field, const slot& from, std::size_t align) {
    if (from.has == content::scalar && field.type.bytes == align) {
        if (from.value == field.default_bits && !field.optional)
            return;
        if (align == 8)
            builder_->AddElement(field.offset, from.value);
        else if (align == 4)
            builder_->AddElement(field.offset, static_cast<std::uint32_t>(from.value));
        else if (align == 2)
            builder_->AddElement(field.offset, static_cast<std::uint16_t>(from.value));
        else
            builder_->AddElement(field.offset, static_cast<std::uint8_t>(from.value));
    } else if (from.has == content::reference && align == 4) {
        const auto at = static_cast<offset>(from.value);
        builder_->AddOffset(field.offset, flatbuffers::Offset<void>{at});
    } else if (from.has == content::structure && field.type.align == align) {
        builder_->Align(align);
        builder_->PushBytes(reinterpret_cast<const std::uint8_t*>(scratch_.data() + from.value),
                            field.type.bytes);
        builder_->AddStructOffset(field.offset, builder_->GetSize());
    }
}

}  // namespace pawl::detail

namespace pawl {

json_parser::json_parser(const schema& of, const verify_limits& limits) noexcept
    : of_{&of}, limits_{limits} {}

result<std::span<const std::byte>> json_parser::operator()(std::string_view text) {
    auto parsed = detail::guarded([&] {
        if (!state_)
            state_ = std::make_unique<detail::json_parser_state>(of_->layout(), limits_);
        return state_->parse(text);
    });
    // Its builders are then of no use any more (detail::unfinished_table).
    if (!parsed && parsed.error().code == errc::out_of_memory)
        state_.reset();
    return parsed;
}

json_parser::json_parser(json_parser&&) noexcept = default;
json_parser& json_parser::operator=(json_parser&&) noexcept = default;
json_parser::~json_parser() = default;

}  // namespace pawl
