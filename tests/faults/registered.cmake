# What ctest runs; the scoreboard runs rows.txt, at its full figures.
pawl_add_fault(kill_loop ARGUMENTS --quick)
pawl_add_fault(no_syscalls ARGUMENTS --quick)
pawl_add_fault(readers ARGUMENTS --quick)
pawl_add_fault(bit_rot ARGUMENTS --quick)
pawl_add_fault(lock_races ARGUMENTS --quick)
pawl_add_fault(disk_full ARGUMENTS --quick ALONE)
pawl_add_fault(single_step ARGUMENTS --quick)
pawl_add_fault(system_calls ARGUMENTS --quick)
