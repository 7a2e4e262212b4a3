using System.Runtime.CompilerServices;
using Hadal.Numerics.Kernels;
using Hadal.Numerics.Lanes;
using Hadal.Numerics.Measurement;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics;

/// <summary>Computes on the processor: every operation in scalar code that reads like its formula, and in vectors of 128, 256 or 512 bits.</summary>
public sealed unsafe partial class CpuBackend : IBackend
{
    private readonly ThreadTeam _team;
    private readonly KernelForm _form;

    /// <summary>A backend with its own team of threads.</summary>
    /// <param name="threads">Threads that compute, the caller's included; 0 for one per logical processor.</param>
    /// <exception cref="ArgumentOutOfRangeException">A negative number of threads.</exception>
    public CpuBackend(int threads = 0)
        : this(threads, KernelForms.Current)
    {
    }

    internal CpuBackend(int threads, KernelForm form)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        _team = new ThreadTeam(threads == 0 ? Environment.ProcessorCount : threads);
        _form = form;
    }

    /// <inheritdoc/>
    public string Name => $"CPU, {_form}, {_team.Threads} {(_team.Threads == 1 ? "thread" : "threads")}";

    /// <summary>Gets the time of every kernel while it is set; null for none.</summary>
    public KernelProfile? Profile
    {
        get => _team.Profile;
        set => _team.Profile = value;
    }

    /// <inheritdoc/>
    public Storage CreateStorage(long byteLength) => new NativeStorage(byteLength);

    /// <inheritdoc/>
    public void Dispose()
    {
        _team.Dispose();
        _latentRoom.Dispose();
        ReleaseRooms();
    }

    private void Run<TKernel>(int items, TKernel kernel) where TKernel : unmanaged, IKernel
    {
        switch (_form)
        {
            case KernelForm.Assembled512:
            case KernelForm.Vector512:
                var job512 = new VectorJob<TKernel, Lanes512>(kernel);
                _team.Run(items, ref job512);
                break;
            case KernelForm.Assembled256:
            case KernelForm.Assembled256Plain:
            case KernelForm.Vector256:
                var job256 = new VectorJob<TKernel, Lanes256>(kernel);
                _team.Run(items, ref job256);
                break;
            case KernelForm.Vector128:
                var job128 = new VectorJob<TKernel, Lanes128>(kernel);
                _team.Run(items, ref job128);
                break;
            default:
                var reference = new ReferenceJob<TKernel>(kernel);
                _team.Run(items, ref reference);
                break;
        }
    }

    // Elements of an item at least: waking the team for less costs more than it saves.
    private const int LeastPerItem = 8192;

    /// <summary>Rows per item so that a thread gets several items of several thousand elements each.</summary>
    private int RowsPerItem(int rows, int columns)
    {
        int byWork = Math.Max(1, LeastPerItem / Math.Max(1, columns));
        int byTeam = Math.Max(1, rows / (_team.Threads * 4));
        return Math.Max(byWork, Math.Min(byTeam, 64));
    }

    private static int Items(int count, int perItem) => (count + perItem - 1) / perItem;

    private static Matrix Rows(Tensor t, [CallerMemberName] string operation = "")
    {
        Require(t.Type == DType.F32, operation, t, "has to be F32");
        return new Matrix((float*)Address(t), t.Rows, t.Columns, (nint)t.RowStride);
    }

    private static Matrix OptionalRows(Tensor t, [CallerMemberName] string operation = "") => t.IsEmpty ? default : Rows(t, operation);

    /// <summary>A contiguous vector of exactly <paramref name="count"/> values; null for no tensor.</summary>
    private static float* Vector(Tensor t, long count, [CallerMemberName] string operation = "")
    {
        if (t.IsEmpty) return null;
        Require(t.Type == DType.F32 && t.IsContiguous && t.Count == count, operation, t, $"has to be contiguous F32 with {count} elements");
        return (float*)Address(t);
    }

    private static int* Integers(Tensor t, long count, [CallerMemberName] string operation = "")
    {
        Require(!t.IsEmpty && t.Type == DType.I32 && t.IsContiguous && t.Count == count, operation, t, $"has to be contiguous I32 with {count} elements");
        return (int*)Address(t);
    }

    private static byte* Address(Tensor t) => ((CpuStorage)t.Storage).Pointer + t.ByteOffset;

    private static void Require(bool condition, string operation, Tensor tensor, string what)
    {
        if (!condition) Refuse(operation, tensor, what);
    }

    private static void Require(bool condition, string operation, Tensor tensor, [InterpolatedStringHandlerArgument(nameof(condition))] ref Requirement what)
    {
        if (!condition) Refuse(operation, tensor, what.TakeText());
    }

    private static void RequireShape(Tensor t, long rows, long columns, [CallerMemberName] string operation = "")
    {
        if (t.IsEmpty || t.Shape.Rows != rows || t.Shape.Columns != columns) Refuse(operation, t, $"has to have {rows} rows and {columns} columns");
    }

    private static void Refuse(string operation, Tensor tensor, string what) => throw new ArgumentException($"{operation}: the tensor {tensor} {what}.");
}
