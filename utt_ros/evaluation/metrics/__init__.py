"""What a twin is good for, measured: positions, paths, intervals, synthesized IMU; and floors."""
