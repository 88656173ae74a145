#include "outbox.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace exchange;

namespace {

// A fill of maker `maker`, held until event `last` is durable.
void hold(outbox& box, pawl::sequence_number last, std::uint64_t maker) {
    flatbuffers::FlatBufferBuilder builder;
    const filled_data fill{.maker = maker};
    builder.Finish(filled::Pack(builder, &fill));
    box.hold(last, *flatbuffers::GetRoot<filled>(builder.GetBufferPointer()));
}

}  // namespace

TEST_CASE("no fill is sent before the whole of its batch is durable, and each is sent once") {
    std::vector<std::uint64_t> sent;
    outbox box{[&](const filled_data& fill) { sent.push_back(fill.maker); }};
    hold(box, 5, 1);
    hold(box, 5, 2);
    hold(box, 8, 3);
    box.release(5);
    CHECK(sent.empty());
    box.release(6);
    CHECK(sent == std::vector<std::uint64_t>{1, 2});
    box.release(8);
    CHECK(sent.size() == 2);
    box.release(100);
    CHECK(sent == std::vector<std::uint64_t>{1, 2, 3});
    CHECK(box.sent() == 3);
    CHECK(box.held() == 0);
}
