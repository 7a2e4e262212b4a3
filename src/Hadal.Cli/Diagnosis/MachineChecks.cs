using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Hadal.Cli.Drawing;
using Hadal.Data;
using Hadal.Data.Sources;
using Hadal.Numerics;
using Hadal.Numerics.Threading;

namespace Hadal.Cli.Diagnosis;

/// <summary>What <c>hadal doctor</c> looks at: everything that has to be well for the quickstart to work here.</summary>
internal static class MachineChecks
{
    private const long LeastMemory = 1L << 30;
    private const long LeastDisk = 512L << 20;

    public static IReadOnlyList<Check> Run(string folder)
    {
        var kernels = Kernels();
        return [Runtime(), Processor(), kernels, kernels.Ok ? Arithmetic() : new Check("arithmetic", false, "not tried without kernels"), Memory(), Nodes(), Disk(folder), Documentation()];
    }

    private static Check Runtime() => new("runtime", Environment.Version.Major >= 10,
        $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.ProcessArchitecture}");

    private static Check Processor()
    {
        bool fused = Fma.IsSupported || AdvSimd.IsSupported;
        int bits = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0;
        string vectors = bits == 0 ? "no vector instructions, so everything is slow" : $"vectors of {bits} bits{(fused ? " with fused multiply-add" : "")}";
        return new Check("processor", bits > 0, $"{Environment.ProcessorCount} {(Environment.ProcessorCount == 1 ? "processor" : "processors")}, {vectors}");
    }

    private static Check Kernels()
    {
        try
        {
            return Kernels(KernelChoice.Current());
        }
        catch (PlatformNotSupportedException e)
        {
            return new Check("kernels", false, e.Message.TrimEnd('.'));
        }
    }

    /// <summary>The portable form is slower, but as right: no reason to be ill.</summary>
    internal static Check Kernels(KernelChoice choice) => new("kernels", true, choice.Reason is { } reason
        ? $"{choice.Form}: the portable form, since {reason}"
        : $"{choice.Form}: assembled for this processor ({string.Join(", ", choice.Assembled)})");

    /// <summary>An odd-sized product on all threads against the same sums in double precision.</summary>
    private static Check Arithmetic()
    {
        const int m = 37, n = 29, k = 131;
        var random = new Random(1);
        float[] a = [.. Enumerable.Range(0, m * k).Select(_ => random.NextSingle() - 0.5f)], b = [.. Enumerable.Range(0, n * k).Select(_ => random.NextSingle() - 0.5f)];
        float[] c = new float[m * n];
        using (var backend = new CpuBackend())
        using (var storage = backend.CreateStorage(sizeof(float) * (a.Length + b.Length + c.Length)))
        {
            var aTensor = storage.View(0, DType.F32, new Shape(m, k));
            var bTensor = storage.View(sizeof(float) * a.Length, DType.F32, new Shape(n, k));
            var cTensor = storage.View(sizeof(float) * (a.Length + b.Length), DType.F32, new Shape(m, n));
            backend.Write(a, aTensor);
            backend.Write(b, bTensor);
            backend.MatMul(aTensor, false, bTensor, true, cTensor);
            backend.Read(cTensor, c);
        }

        double worst = 0;
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double sum = 0;
                for (int l = 0; l < k; l++) sum += (double)a[i * k + l] * b[j * k + l];
                worst = Math.Max(worst, Math.Abs(sum - c[i * n + j]));
            }
        }

        // A sum of k products below 1/4 is rounded k times at most: k² · 2^-24 / 4.
        const double bound = k * k / 4.0 / (1 << 24);
        return worst <= bound
            ? new Check("arithmetic", true, $"a matrix product is right to {worst:0.0e+0}")
            : new Check("arithmetic", false, $"a matrix product is wrong by {worst:0.0e+0}, where {bound:0.0e+0} is allowed: please report this with the lines above");
    }

    private static Check Memory()
    {
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return available >= LeastMemory
            ? new Check("memory", true, $"{Figures.Bytes(available)} for this process")
            : new Check("memory", false, $"{Figures.Bytes(available)} for this process; the quickstart needs {Figures.Bytes(LeastMemory)}");
    }

    private static Check Nodes() => new("memory nodes", true, MemoryNodes.Count == 1
        ? "1, so threads are not bound"
        : $"{MemoryNodes.Count}; threads are bound to them evenly, and weights are spread over all");

    private static Check Disk(string folder)
    {
        string probe = Path.Combine(folder, ".hadal-" + Guid.NewGuid().ToString("N"));
        try
        {
            using (new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
            {
            }

            long free = new DriveInfo(folder).AvailableFreeSpace;
            return free >= LeastDisk
                ? new Check("disk", true, $"{Figures.Bytes(free)} free in {folder}")
                : new Check("disk", false, $"only {Figures.Bytes(free)} free in {folder}; the quickstart writes up to {Figures.Bytes(LeastDisk)}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new Check("disk", false, $"{folder} cannot be written ({e.Message.TrimEnd('.')}); work in another folder, or give one with --out");
        }
    }

    private static Check Documentation()
    {
        try
        {
            return new Check("documentation", true, DotnetDocumentation.Locate().Description);
        }
        catch (DataException e)
        {
            return new Check("documentation", false, e.Message.TrimEnd('.'));
        }
    }
}
