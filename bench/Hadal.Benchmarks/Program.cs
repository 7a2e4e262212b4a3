using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

if (args is ["tokenizer", ..]) return Hadal.Benchmarks.TokenizerSpeed.Run(args.AsSpan(1));
if (args is ["constraints", ..]) return Hadal.Benchmarks.ConstraintSpeed.Run(args.AsSpan(1));
if (args is ["packing", ..]) return Hadal.Benchmarks.PackingSpeed.Run(args.AsSpan(1));
if (args is ["schedules", ..]) return Hadal.Benchmarks.Schedules.ScheduleComparison.Run(args.AsSpan(1));

// In this process: nothing is generated or built, and kernels that were assembled stay. One kernel call takes micro- to milliseconds, so the host's own code does not show.
var job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(3).WithIterationCount(10);
var config = ManualConfig.Create(DefaultConfig.Instance).AddJob(job.AsDefault()).HideColumns(Column.Error, Column.Toolchain);
BenchmarkSwitcher.FromAssembly(typeof(Hadal.Benchmarks.KernelLab).Assembly).Run(args, config);
return 0;
