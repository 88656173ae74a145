#include "fill_file.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <fstream>
#include <system_error>

namespace exchange {
namespace {

std::unexpected<pawl::error> failed(const std::string& path, int os_error) {
    return std::unexpected(pawl::error{.code = pawl::errc::io, .os_error = os_error, .file = path});
}

}  // namespace

pawl::result<fill_file> fill_file::open(const std::filesystem::path& path) {
    std::uint64_t lines = 0;
    std::error_code wrong;  // set if there is no file yet
    if (std::filesystem::is_regular_file(path, wrong)) {
        std::uintmax_t bytes = 0;
        std::string line;
        for (std::ifstream before{path}; std::getline(before, line) && !before.eof(); ++lines)
            bytes += line.size() + 1;
        std::filesystem::resize_file(path, bytes, wrong);
        if (wrong)
            return failed(path, wrong.value());
    }
    std::FILE* file = std::fopen(path.c_str(), "a");
    if (!file)
        return failed(path, errno);
    return fill_file{path, file, lines};
}

void fill_file::send(const fill_notice& fill) {
    const std::string line = fmt::format("{},{},{},{},{}\n", fill.command, fill.maker, fill.taker,
                                         fill.price, fill.quantity);
    (void)std::fwrite(line.data(), 1, line.size(), file_.get());
    ++arrived_;
}

pawl::result<void> fill_file::close() {
    const bool went_well = std::ferror(file_.get()) == 0;
    if (std::fclose(file_.release()) != 0 || !went_well)
        return failed(path_, errno);
    return {};
}

}  // namespace exchange
