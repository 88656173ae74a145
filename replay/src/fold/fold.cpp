#include <pawl/replay/fold.hpp>

#include <string>

namespace pawl::detail {

result<cursor> open_at_beginning(const std::filesystem::path& directory,
                                 const cursor_options& options) {
    auto events = cursor::open(directory, options);
    if (events && events->next_sequence() != 0)
        return std::unexpected(error{.code = errc::pruned,
                                     .sequence = events->next_sequence(),
                                     .detail = "the events before " +
                                               std::to_string(events->next_sequence()) +
                                               " have been pruned"});
    return events;
}

}  // namespace pawl::detail
