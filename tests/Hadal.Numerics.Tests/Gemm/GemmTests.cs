using Hadal.Numerics.Kernels;
using Hadal.Numerics.Threading;
using Product = Hadal.Numerics.Kernels.Gemm;

namespace Hadal.Numerics.Tests.Gemm;

/// <summary>The contract is exact, so no test here has a tolerance (but the comparison with FP64).</summary>
public unsafe class GemmTests
{
    private static readonly int[] _sizes = [0, 1, 2, 3, 5, 7, 13, 16, 17, 31, 33, 48, 64, 65, 100, 129];

    public static TheoryData<string> Forms => [.. DistinctForms.Available.Select(KernelForms.Name)];

    [Fact]
    public void Every_form_gives_the_same_bits_at_every_size_in_every_transposition()
    {
        foreach (int m in _sizes)
        {
            foreach (int n in _sizes)
            {
                foreach (int k in _sizes)
                {
                    using var expected = new GemmCase(m, n, k, seed: m * 10000 + n * 100 + k);
                    // The scalar form cannot depend on how sizes meet vectors; a part of the sizes is enough for it.
                    foreach (var form in DistinctForms.Available.Where(f => f != KernelForm.Reference || m + n + k < 100))
                        AssertEveryTransposition(expected, DType.F32, form);
                }
            }
        }
    }

    [Fact]
    public void A_bfloat16_operand_gives_the_bits_of_its_widened_values()
    {
        int[] sizes = [1, 3, 5, 16, 33, 65, 129];
        foreach (int m in sizes)
        {
            foreach (int n in sizes)
            {
                foreach (int k in sizes)
                {
                    using var expected = new GemmCase(m, n, k, seed: m * 10000 + n * 100 + k, bfloat16: true);
                    foreach (var form in DistinctForms.Available) AssertEveryTransposition(expected, DType.BF16, form);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Blocks_tiles_and_threads_change_no_bit(string name)
    {
        var form = KernelForms.Choose(name);
        using var one = new ThreadTeam(1);
        using var two = new ThreadTeam(2);
        using var three = new ThreadTeam(3);
        // Each dimension crosses a block boundary in some case: rows 48 and 1152, columns 256, depth 512 and, for few rows, 8192.
        (int M, int N, int K)[] cases = form == KernelForm.Reference
            ? [(150, 300, 270)]
            : [(301, 523, 517), (1200, 70, 40), (3, 530, 600), (1, 17, 9000), (25, 1030, 300)];
        foreach (var (m, n, k) in cases)
        {
            using var expected = new GemmCase(m, n, k, seed: m);
            for (int transposes = 0; transposes < 4; transposes++)
            {
                foreach (var team in new[] { one, two, three })
                {
                    expected.Reset();
                    Product.Run(team, expected.Problem((transposes & 1) != 0, (transposes & 2) != 0), form);
                    Assert.True(expected.IsExact(), $"{m}×{n}×{k}, transposes {transposes}, {team.Threads} threads");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Grouped_products_equal_single_ones_however_uneven(string name)
    {
        var form = KernelForms.Choose(name);
        using var two = new ThreadTeam(2);
        int[] rows = [0, 1, 0, 0, 300, 2, 5, 0, 17, 64, 129, 0, 3, 31, 0];
        var cases = rows.Select((m, i) => new GemmCase(m, 100, 65 + i, seed: i)).ToArray();
        var problems = stackalloc GemmProblem[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            cases[i].Reset();
            problems[i] = cases[i].Problem(false, i % 2 == 0);
        }

        Product.RunGrouped(two, problems, rows.Length, form);
        Assert.All(cases, c => Assert.True(c.IsExact(), $"{c.M} rows"));
        foreach (var c in cases) c.Dispose();
    }

    [Fact]
    public void More_products_than_one_table_holds_are_all_done()
    {
        const int Count = 1100;
        using var team = new ThreadTeam(2);
        var cases = Enumerable.Range(0, Count).Select(i => new GemmCase(i % 4, 20, 9, seed: i)).ToArray();
        var problems = new GemmProblem[Count];
        for (int i = 0; i < Count; i++)
        {
            cases[i].Reset();
            problems[i] = cases[i].Problem(false, false);
        }

        fixed (GemmProblem* p = problems) Product.RunGrouped(team, p, Count);
        Assert.All(cases, c => Assert.True(c.IsExact()));
        foreach (var c in cases) c.Dispose();
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Packed_weights_give_the_same_bits_for_any_number_of_rows(string name)
    {
        var form = KernelForms.Choose(name);
        using var two = new ThreadTeam(2);
        foreach (var (n, k) in new[] { (1, 1), (16, 16), (17, 33), (100, 65), (300, 129), (64, 0), (0, 5), (130, 8300) })
        {
            foreach (int m in k > 1000 ? [1, 5] : new[] { 0, 1, 2, 3, 4, 5, 7, 12, 16, 31, 150 })
            {
                using var expected = new GemmCase(m, n, k, seed: m * 1000 + n);
                var problem = expected.Problem(false, true);
                using var packed = new PackedMatrix(n, k);
                packed.Fill(two, new Matrix((float*)problem.B, n, k, problem.Ldb));
                expected.Reset();
                Product.RunPacked(two, problem.A, problem.Lda, m, packed, problem.C, problem.Ldc, problem.Accumulate, form);
                Assert.True(expected.IsExact(), $"{m}×{n}×{k}");
            }
        }
    }

    [Fact]
    public void The_product_is_as_close_to_FP64_as_a_chain_of_roundings_can_be()
    {
        const int M = 20, N = 40, K = 500;
        var random = new Random(3);
        var a = Enumerable.Range(0, M * K).Select(_ => random.NextSingle() - 0.5f).ToArray();
        var b = Enumerable.Range(0, K * N).Select(_ => random.NextSingle() - 0.5f).ToArray();
        var c = new float[M * N];
        using var team = new ThreadTeam(2);
        fixed (float* pa = a, pb = b, pc = c) Product.Run(team, new GemmProblem { A = pa, Lda = K, B = pb, Ldb = N, C = pc, Ldc = N, M = M, N = N, K = K });
        for (int i = 0; i < M; i++)
        {
            for (int j = 0; j < N; j++)
            {
                double sum = 0, magnitudes = 0;
                for (int k = 0; k < K; k++)
                {
                    sum += (double)a[i * K + k] * b[k * N + j];
                    magnitudes += Math.Abs((double)a[i * K + k] * b[k * N + j]);
                }

                // Each of the K steps rounds a partial sum, none larger than the sum of magnitudes, by at most half a unit: 2^-24 of it.
                Assert.InRange(c[i * N + j], sum - K * magnitudes * Math.ScaleB(1, -24), sum + K * magnitudes * Math.ScaleB(1, -24));
            }
        }
    }

    [Fact]
    public void Nothing_outside_the_matrices_is_touched()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Guarded pages are made with Linux calls.");
        foreach (var (m, n, k) in new[] { (1, 7, 5), (4, 33, 17), (5, 17, 33), (13, 50, 7), (50, 100, 67), (49, 31, 129) })
        {
            using GuardedPages a = new(m * k * 4), b = new(n * k * 4), c = new(m * n * 4);
            foreach (var type in new[] { DType.F32, DType.BF16 })
            {
                for (int transposes = 0; transposes < 8; transposes++)
                {
                    // Once with the last element just before the guard, once with the first just behind it.
                    bool transposeA = (transposes & 1) != 0, transposeB = (transposes & 2) != 0, atEnd = (transposes & 4) != 0;
                    var problem = new GemmProblem
                    {
                        A = atEnd ? (float*)a.End - m * k : (float*)a.Begin,
                        Lda = transposeA ? m : k,
                        TransposeA = transposeA,
                        B = atEnd ? b.End - n * k * type.SizeOf() : b.Begin,
                        BType = type,
                        Ldb = transposeB ? k : n,
                        TransposeB = transposeB,
                        C = atEnd ? (float*)c.End - m * n : (float*)c.Begin,
                        Ldc = n,
                        M = m,
                        N = n,
                        K = k,
                        Accumulate = true,
                    };
                    foreach (var form in DistinctForms.Available) Product.RunSingle(problem, GemmScratch.Current, form);
                }
            }
        }
    }

    [Fact]
    public void The_steady_state_allocates_nothing()
    {
        using var team = new ThreadTeam(2);
        using var large = new GemmCase(200, 200, 200, seed: 1);
        using var small = new GemmCase(20, 20, 20, seed: 2);
        var problems = stackalloc GemmProblem[] { large.Problem(false, true), small.Problem(true, false), large.Problem(false, true) };
        var weights = large.Problem(false, true);
        using var packed = new PackedMatrix(large.N, large.K);
        packed.Fill(team, new Matrix((float*)weights.B, large.N, large.K, weights.Ldb));
        long before = 0;
        for (int round = 0; round < 20; round++)
        {
            if (round == 10) before = GC.GetAllocatedBytesForCurrentThread();
            Product.Run(team, large.Problem(true, true));
            Product.RunGrouped(team, problems, 3);
            Product.RunSingle(small.Problem(false, false), GemmScratch.Current);
            Product.RunPacked(team, weights.A, weights.Lda, large.M, packed, weights.C, weights.Ldc, false);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void AssertEveryTransposition(GemmCase expected, DType type, KernelForm form)
    {
        for (int transposes = 0; transposes < 4; transposes++)
        {
            expected.Reset();
            Product.RunSingle(expected.Problem((transposes & 1) != 0, (transposes & 2) != 0, type), GemmScratch.Current, form);
            Assert.True(expected.IsExact(), $"{form}, {expected.M}×{expected.N}×{expected.K}, transposes {transposes}");
        }
    }
}
