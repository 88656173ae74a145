#include "store/head_slots.hpp"

#include "journal_support.hpp"

#include <map>
#include <random>

using namespace pawl;
using namespace pawl::test;
using detail::head_slots;

TEST_CASE("removing streams from a table leaves the others in it") {
    // So small that most entries do not lie in the slot to which they hash.
    auto slots = must(head_slots::make(64));
    std::map<stream_id, stream_version> model;
    std::mt19937_64 random{7};
    for (int step = 0; step < 20'000; ++step) {
        const stream_id stream = 1 + random() % 90;
        if (random() % 2 == 0) {
            slots.erase(stream);
            model.erase(stream);
        } else if (auto* head = slots.find_or_insert(stream)) {
            head->version = ++model[stream];
        }
        REQUIRE(slots.used() == model.size());
        for (stream_id each = 1; each <= 90; ++each) {
            const auto* head = slots.find(each);
            const auto known = model.find(each);
            REQUIRE((head != nullptr) == (known != model.end()));
            if (head != nullptr)
                REQUIRE(head->version == known->second);
        }
    }
}
