using Hadal.Numerics.Kernels;

namespace Hadal.Numerics.Tests.Kernels;

/// <summary>A backend under test with an arena and seeded random tensors.</summary>
internal sealed class Lab : IDisposable
{
    private readonly Random _random;

    public Lab(KernelForm form, int threads = 1, int seed = 1)
    {
        Backend = new CpuBackend(threads, form);
        Arena = new Arena(Backend, 1 << 16);
        _random = new Random(seed);
    }

    public static TheoryData<string> Forms
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (var form in Enum.GetValues<KernelForm>())
            {
                if (form != KernelForm.Reference && DistinctForms.Available.Contains(form)) data.Add(form.ToString());
            }

            return data;
        }
    }

    public CpuBackend Backend { get; }

    public Arena Arena { get; }

    public Tensor New(long rows, long columns) => Arena.Matrix(rows, columns);

    public Tensor NewVector(long count) => Arena.Allocate(DType.F32, new Shape(count));

    public Tensor Normal(long rows, long columns, float deviation = 1, float mean = 0) => Fill(New(rows, columns), deviation, mean);

    public Tensor NormalVector(long count, float deviation = 1, float mean = 0) => Fill(NewVector(count), deviation, mean);

    /// <summary>A view with gaps between its rows.</summary>
    public Tensor Strided(long rows, long columns, long gap = 3) => Normal(rows, columns + gap).ColumnRange(1, columns);

    public Tensor Integers(params int[] values)
    {
        var t = Arena.Allocate(DType.I32, new Shape(values.Length));
        Backend.Write(values, t);
        return t;
    }

    public Tensor NewIntegers(long count) => Arena.Allocate(DType.I32, new Shape(count));

    public int[] Random(int count, int below)
    {
        var values = new int[count];
        for (int i = 0; i < count; i++) values[i] = _random.Next(below);
        return values;
    }

    public float[] Read(Tensor t)
    {
        var values = new float[t.Count];
        Backend.Read(t, values);
        return values;
    }

    public int[] ReadIntegers(Tensor t)
    {
        var values = new int[t.Count];
        Backend.Read(t, values);
        return values;
    }

    public void Dispose()
    {
        Arena.Dispose();
        Backend.Dispose();
    }

    public static void Close(float[] expected, float[] actual, double relative, double absolute)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            double bound = absolute + relative * Math.Abs(expected[i]);
            Assert.True(Math.Abs((double)expected[i] - actual[i]) <= bound, $"element {i}: {expected[i]} expected, {actual[i]} found, bound {bound}");
        }
    }

    private Tensor Fill(Tensor t, float deviation, float mean)
    {
        var values = new float[t.Count];
        for (int i = 0; i < values.Length; i++)
        {
            double u = 1 - _random.NextDouble(), v = _random.NextDouble();
            values[i] = mean + deviation * (float)(Math.Sqrt(-2 * Math.Log(u)) * Math.Cos(2 * Math.PI * v));
        }

        Backend.Write(values, t);
        return t;
    }
}
