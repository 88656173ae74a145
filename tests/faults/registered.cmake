# What ctest runs of the fault suites: seconds of each, so that a break shows at once. All of rows.txt
# at its full figures is the scoreboard's, which `tools/dev test` runs after ctest.
pawl_add_fault(no_syscalls ARGUMENTS --quick)
pawl_add_fault(power_cuts ARGUMENTS --count 2000)
pawl_add_fault(kill_loop ARGUMENTS --count 30)
pawl_add_fault(single_step ARGUMENTS --quick)
pawl_add_fault(system_calls ARGUMENTS --quick)
pawl_add_fault(bit_rot ARGUMENTS --quick --file 5)
pawl_add_fault(damaged_records ARGUMENTS --count 2000)
pawl_add_fault(readers ARGUMENTS --quick)
pawl_add_fault(lock_races ARGUMENTS --quick)
pawl_add_fault(disk_full ARGUMENTS --quick ALONE)
pawl_add_fault(hostile_files ARGUMENTS --quick)
pawl_add_fault(commit_model ARGUMENTS --quick)
