using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Tests.Panels;

/// <summary>Products through <see cref="IBackend"/> with weights in every format.</summary>
public sealed class WeightCodingTests
{
    private static readonly WeightFormat[] _formats =
        [WeightFormat.F32, WeightFormat.BF16, WeightFormat.F16, WeightFormat.Fp8, WeightFormat.Fp8W8A8, WeightFormat.EightBit, WeightFormat.FourBit];

    /// <summary>
    /// Error of the product as a share of its length: rounding of weights and activations together. bfloat16 2^-9 uniform each; FP16 2^-12; E4M3 up to 2^-4 of a value; bytes
    /// amax/254 and nibbles about amax/14 of a block with amax near 3 standard deviations.
    /// </summary>
    [Theory]
    [InlineData(WeightFormat.F32, 1e-6)]
    [InlineData(WeightFormat.BF16, 0.004)]
    [InlineData(WeightFormat.F16, 0.0005)]
    [InlineData(WeightFormat.Fp8, 0.03)]
    [InlineData(WeightFormat.Fp8W8A8, 0.045)]
    [InlineData(WeightFormat.EightBit, 0.012)]
    [InlineData(WeightFormat.FourBit, 0.09)]
    public void A_format_costs_no_more_than_its_rounding(WeightFormat format, double allowed)
    {
        using var lab = new Lab(format, 40, 96, 640);
        Assert.InRange(lab.RelativeError(), 0, allowed);
    }

    [Fact]
    public void A_part_of_the_outputs_and_stacked_parts_have_the_bits_of_the_whole()
    {
        foreach (var format in _formats)
        {
            using var lab = new Lab(format, 5, 80, 200);
            float[] whole = lab.Multiply(0, 80), part = lab.Multiply(32, 33);
            for (int row = 0; row < 5; row++)
            {
                for (int n = 0; n < 33; n++) Assert.Equal(whole[row * 80 + 32 + n], part[row * 33 + n]);
            }

            if (format == WeightFormat.F32) continue;
            lab.Fill(lab.Weights.RowRange(0, 23), lab.Weights.RowRange(23, 57));
            Assert.Equal(whole, lab.Multiply(0, 80));
        }
    }

    [Fact]
    public void Fp8_codes_of_a_checkpoint_are_multiplied_exactly()
    {
        using var backend = new CpuBackend(2);
        using var arena = new Arena(backend);
        var random = new Random(3);
        const int Outputs = 200, Inputs = 300;
        var codes = arena.Allocate(DType.F8E4M3, new Shape(Outputs, Inputs));
        var scales = arena.Matrix(2, 3);
        var factors = new float[6];
        for (int i = 0; i < 6; i++) factors[i] = 0.001f + random.NextSingle();
        backend.Write(factors, scales);
        var weights = new float[Outputs * Inputs];
        unsafe
        {
            var bytes = ((CpuStorage)codes.Storage).Pointer + codes.ByteOffset;
            for (int i = 0; i < weights.Length; i++)
            {
                do bytes[i] = (byte)random.Next(256);
                while ((bytes[i] & 0x7F) == 0x7F);
                weights[i] = Float8E4M3.ToSingle(bytes[i]) * factors[i / Inputs / 128 * 3 + i % Inputs / 128];
            }
        }

        using var packed = backend.CreatePacked(WeightFormat.Fp8, 1, Outputs, Inputs);
        backend.Fill(packed, 0, [new WeightPart(codes, scales)]);

        // One row that picks a single weight of every output: 1 is exact in bfloat16, so the product is the weight.
        float[] product = TimesIdentity(backend, arena, packed);
        for (int n = 0; n < Outputs; n++)
        {
            for (int k = 0; k < Inputs; k++) Assert.Equal(weights[n * Inputs + k], product[k * Outputs + n]);
        }
    }

    [Fact]
    public void Half_precision_weights_have_the_bits_of_the_same_weights_in_single_precision()
    {
        using var backend = new CpuBackend(2);
        using var arena = new Arena(backend);
        var random = new Random(8);
        // Subnormals of FP16, its largest value, and zeros of both signs among them.
        const int Outputs = 75, Inputs = 320, Rows = 20;
        var halves = arena.Allocate(DType.F16, new Shape(Outputs, Inputs));
        var single = arena.Matrix(Outputs, Inputs);
        var values = new float[Outputs * Inputs];
        unsafe
        {
            var codes = (Half*)(((CpuStorage)halves.Storage).Pointer + halves.ByteOffset);
            for (int i = 0; i < values.Length; i++)
            {
                codes[i] = (i % 11) switch { 0 => (Half)(random.NextSingle() * 6e-5f), 1 => (Half)(-0f), 2 => (Half)65504, _ => (Half)(random.NextSingle() - 0.5f) };
                values[i] = (float)codes[i];
            }
        }

        backend.Write(values, single);
        Tensor x = arena.Matrix(Rows, Inputs), y = arena.Matrix(Rows, Outputs);
        var inputs = new float[Rows * Inputs];
        for (int i = 0; i < inputs.Length; i++) inputs[i] = random.NextSingle() - 0.5f;
        backend.Write(inputs, x);
        float[] expected = Product(WeightFormat.F32, single);
        Assert.Equal(expected, Product(WeightFormat.F16, halves));
        Assert.Equal(expected, Product(WeightFormat.F16, single));

        float[] Product(WeightFormat format, Tensor weights)
        {
            using var packed = backend.CreatePacked(format, 1, Outputs, Inputs);
            backend.Fill(packed, 0, [new WeightPart(weights)]);
            backend.MatMul(x, packed, y);
            var product = new float[Rows * Outputs];
            backend.Read(y, product);
            return product;
        }
    }

    /// <summary>Nothing is rounded on the way into panels; an activation of one is 127 · (1 / 127), so products carry FP32 rounding only.</summary>
    [Theory]
    [InlineData(BlockFormat.Q80, WeightFormat.Q80)]
    [InlineData(BlockFormat.Q50, WeightFormat.Q50)]
    [InlineData(BlockFormat.Q40, WeightFormat.Q40)]
    [InlineData(BlockFormat.Q6K, WeightFormat.Q6K)]
    [InlineData(BlockFormat.Q5K, WeightFormat.Q5K)]
    [InlineData(BlockFormat.Q4K, WeightFormat.Q4K)]
    public void Blocks_of_a_gguf_file_are_multiplied_as_they_are(BlockFormat blocks, WeightFormat format)
    {
        using var backend = new CpuBackend(2);
        using var arena = new Arena(backend);
        var random = new Random(5);
        const int Outputs = 37, Inputs = 512;
        int rowBytes = (int)blocks.BytesFor(Inputs);
        var stored = arena.Allocate(DType.U8, new Shape(Outputs, rowBytes));
        var weights = new float[Outputs * Inputs];
        unsafe
        {
            var bytes = new Span<byte>(((CpuStorage)stored.Storage).Pointer + stored.ByteOffset, Outputs * rowBytes);
            var row = new float[Inputs];
            for (int n = 0; n < Outputs; n++)
            {
                for (int k = 0; k < Inputs; k++) row[k] = random.NextSingle() * 2 - 0.7f;
                blocks.Encode(row, bytes.Slice(n * rowBytes, rowBytes));
                blocks.Decode(bytes.Slice(n * rowBytes, rowBytes), weights.AsSpan(n * Inputs, Inputs));
            }
        }

        using var packed = backend.CreatePacked(format, 1, Outputs, Inputs);
        backend.Fill(packed, 0, [new WeightPart(stored) { Blocks = blocks }]);
        float[] product = TimesIdentity(backend, arena, packed);
        for (int n = 0; n < Outputs; n++)
        {
            for (int k = 0; k < Inputs; k++) Assert.Equal(weights[n * Inputs + k], product[k * Outputs + n], 2e-6f);
        }

        using var other = backend.CreatePacked(WeightFormat.BF16, 1, Outputs, Inputs);
        Assert.Contains("format of its blocks", Assert.Throws<ArgumentException>(() => backend.Fill(other, 0, [new WeightPart(stored) { Blocks = blocks }])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_matrix_that_was_released_is_missed_by_name_and_can_be_filled_again()
    {
        using var lab = new Lab(WeightFormat.BF16, 2, 32, 64);
        float[] before = lab.Multiply(0, 32);
        lab.Backend.Release(lab.Packed, 0);
        Assert.False(lab.Packed.IsPresent(0));
        Assert.Equal(0, lab.Packed.ByteLength);
        Assert.Contains("Matrix 0", Assert.Throws<InvalidOperationException>(() => lab.Multiply(0, 32)).Message, StringComparison.Ordinal);
        lab.Fill(lab.Weights);
        Assert.Equal(before, lab.Multiply(0, 32));
    }

    // [inputs, outputs]: every row picks a single weight of every output.
    private static float[] TimesIdentity(CpuBackend backend, Arena arena, PackedWeights packed)
    {
        int inputs = packed.InFeatures;
        var (x, y) = (arena.Matrix(inputs, inputs), arena.Matrix(inputs, packed.OutFeatures));
        var identity = new float[inputs * inputs];
        for (int i = 0; i < inputs; i++) identity[i * inputs + i] = 1;
        backend.Write(identity, x);
        backend.MatMul(x, packed, y);
        var product = new float[inputs * packed.OutFeatures];
        backend.Read(y, product);
        return product;
    }

    private sealed class Lab : IDisposable
    {
        private readonly Arena _arena;
        private readonly float[] _x, _w;
        private readonly int _rows, _outputs, _inputs;
        private readonly Tensor _input;

        public Lab(WeightFormat format, int rows, int outputs, int inputs)
        {
            (_rows, _outputs, _inputs) = (rows, outputs, inputs);
            _arena = new Arena(Backend);
            var random = new Random(11);
            _x = [.. Enumerable.Range(0, rows * inputs).Select(_ => Normal(random))];
            _w = [.. Enumerable.Range(0, outputs * inputs).Select(_ => 0.02f * Normal(random))];
            (_input, Weights) = (_arena.Matrix(rows, inputs), _arena.Matrix(outputs, inputs));
            Backend.Write(_x, _input);
            Backend.Write(_w, Weights);
            Packed = Backend.CreatePacked(format, 1, outputs, inputs);
            Fill(Weights);
        }

        public CpuBackend Backend { get; } = new(2);

        public PackedWeights Packed { get; }

        public Tensor Weights { get; }

        public void Fill(params Tensor[] parts) => Backend.Fill(Packed, 0, [.. parts.Select(p => new WeightPart(p))]);

        public float[] Multiply(int first, int columns)
        {
            var y = _arena.Matrix(_rows, columns);
            Backend.MatMul(_input, Packed, y, firstOutput: first);
            var product = new float[_rows * columns];
            Backend.Read(y, product);
            return product;
        }

        public double RelativeError()
        {
            float[] product = Multiply(0, _outputs);
            double difference = 0, length = 0;
            for (int m = 0; m < _rows; m++)
            {
                for (int n = 0; n < _outputs; n++)
                {
                    double exact = 0;
                    for (int k = 0; k < _inputs; k++) exact += (double)_x[m * _inputs + k] * _w[n * _inputs + k];
                    difference += Math.Pow(exact - product[m * _outputs + n], 2);
                    length += exact * exact;
                }
            }

            return Math.Sqrt(difference / length);
        }

        public void Dispose()
        {
            Packed.Dispose();
            _arena.Dispose();
            Backend.Dispose();
        }

        private static float Normal(Random random) =>
            (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
    }
}
