#include "workers.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <thread>

namespace pawl::test {

namespace {

[[nodiscard]] std::string packed(const worker_report& report) {
    std::string bytes(sizeof report.figures, '\0');
    std::memcpy(bytes.data(), report.figures.data(), sizeof report.figures);
    return bytes + report.repeat + '\0' + report.fault;
}

[[nodiscard]] worker_report unpacked(const std::string& bytes) {
    worker_report report;
    const auto middle = bytes.find('\0', sizeof report.figures);
    if (bytes.size() < sizeof report.figures || middle == std::string::npos) {
        report.fault = "a worker died";
        return report;
    }
    std::memcpy(report.figures.data(), bytes.data(), sizeof report.figures);
    report.repeat = bytes.substr(sizeof report.figures, middle - sizeof report.figures);
    report.fault = bytes.substr(middle + 1);
    return report;
}

[[nodiscard]] std::string read_all(int descriptor) {
    std::string bytes;
    std::array<char, 4096> part{};
    for (;;) {
        const auto got = ::read(descriptor, part.data(), part.size());
        if (got <= 0)
            return bytes;
        bytes.append(part.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace

unsigned usual_workers() noexcept {
    return std::max(1U, std::thread::hardware_concurrency());
}

std::vector<worker_report> run_workers(unsigned count,
                                       const std::function<worker_report(unsigned index)>& work) {
    std::vector<int> answers;
    std::vector<pid_t> children;
    for (unsigned i = 0; i < count; ++i) {
        std::array<int, 2> ends{};
        if (::pipe(ends.data()) != 0)
            break;
        const pid_t child = ::fork();
        if (child == 0) {
            ::close(ends[0]);
            const std::string bytes = packed(work(i));
            const auto put = ::write(ends[1], bytes.data(), bytes.size());
            ::_exit(put == static_cast<ssize_t>(bytes.size()) ? 0 : 1);
        }
        ::close(ends[1]);
        answers.push_back(ends[0]);
        children.push_back(child);
    }
    std::vector<worker_report> reports;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        reports.push_back(unpacked(read_all(answers[i])));
        ::close(answers[i]);
        int status = 0;
        ::waitpid(children[i], &status, 0);
        if (status != 0 && reports.back().fault.empty())
            reports.back().fault = "a worker died";
    }
    return reports;
}

}  // namespace pawl::test
