#include "workers.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
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
        report.died = true;
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

// If a process stays on one processor, unmapping need not interrupt the others: on virtual
// machines, those interrupts are most of the cost of a row.
void stay_on_one_processor(unsigned index) noexcept {
    cpu_set_t usable;
    if (::sched_getaffinity(0, sizeof usable, &usable) != 0 || CPU_COUNT(&usable) == 0)
        return;
    unsigned to_pass = index % static_cast<unsigned>(CPU_COUNT(&usable));
    for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
        if (!CPU_ISSET(i, &usable) || to_pass-- != 0)
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        (void)::sched_setaffinity(0, sizeof one, &one);
        return;
    }
}

}  // namespace

void use_all_processors() noexcept {
    cpu_set_t all;
    CPU_ZERO(&all);
    for (std::size_t i = 0; i < CPU_SETSIZE; ++i)
        CPU_SET(i, &all);
    (void)::sched_setaffinity(0, sizeof all, &all);
}

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
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::close(ends[0]);
            stay_on_one_processor(i);
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
        if (status != 0 && reports.back().fault.empty()) {
            reports.back().fault = "a worker died";
            reports.back().died = true;
        }
    }
    return reports;
}

worker_sums divide_among_workers(row_program& program, unsigned workers,
                                 const std::function<worker_sums(unsigned index)>& work,
                                 const std::function<std::string(unsigned index)>& repeat_of_dead) {
    (void)program.directory();  // or each worker would create one and leave it
    const std::uint64_t target = program.target();
    const auto one = [&](unsigned index) {
        program.begin_share(target / workers + (index < target % workers ? 1 : 0));
        const worker_sums sums = work(index);
        worker_report report;
        report.figures[0] = program.reached();
        std::ranges::copy(sums, report.figures.begin() + 1);
        if (program.failures() != 0) {
            report.repeat = program.repeat();
            report.fault = program.detail();
        }
        return report;
    };
    worker_sums all{};
    const auto reports = run_workers(workers, one);
    for (unsigned index = 0; index < reports.size(); ++index) {
        const worker_report& report = reports[index];
        program.count(report.figures[0]);
        for (std::size_t i = 0; i < all.size(); ++i)
            all[i] += report.figures[i + 1];
        if (!report.fault.empty()) {
            program.failure(report.died && repeat_of_dead ? repeat_of_dead(index) : report.repeat,
                            report.fault);
        }
    }
    return all;
}

}  // namespace pawl::test
