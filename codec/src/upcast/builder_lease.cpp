#include <pawl/codec/upcast.hpp>

#include <cassert>
#include <memory>
#include <vector>

namespace pawl::detail {

namespace {

// As many builders as steps were ever nested on this thread, the outermost first.
struct builder_stack {
    std::vector<std::unique_ptr<flatbuffers::FlatBufferBuilder>> builders;
    std::size_t leased = 0;
};
thread_local builder_stack stack;

}  // namespace

builder_lease::builder_lease() {
    if (stack.leased == stack.builders.size()) [[unlikely]]
        stack.builders.push_back(std::make_unique<flatbuffers::FlatBufferBuilder>());
    builder_ = stack.builders[stack.leased++].get();
}

builder_lease::~builder_lease() {
    assert(stack.leased != 0 && stack.builders[stack.leased - 1].get() == builder_);
    --stack.leased;
}

}  // namespace pawl::detail
