using Hadal.Numerics.Formats;

namespace Hadal.Numerics;

/// <summary>The narrow waist: every operation that model, training and inference code is written against.</summary>
/// <remarks>
/// <para>
/// Legend of shapes: T tokens (rows), D model width, H heads, N and M and K matrix sizes, E experts, C chosen experts per token, S slots (T·C, sorted by
/// expert), V vocabulary, R latent rank. Tensors are FP32 unless a parameter says otherwise; integer tensors are I32. Matrices may have gaps between rows.
/// </para>
/// <para>
/// The order in which each operation adds numbers is part of its contract: results depend neither on the number of threads nor on how many rows are
/// computed together, and every form of a kernel gives the same bits unless its description names a tolerance. Operations that end in "Backward" take the
/// gradient of the loss for the forward's output and give the gradient for its input; "WeightBackward" adds to the gradient of the weights.
/// </para>
/// <para>Wrong shapes or types throw <see cref="ArgumentException"/> naming the operation. Operations allocate no managed memory in steady state.</para>
/// </remarks>
public interface IBackend : IDisposable
{
    /// <summary>What computes, in words: processor form and threads.</summary>
    string Name { get; }

    /// <summary>Zeroed memory that this backend computes on.</summary>
    /// <param name="byteLength">Length in bytes.</param>
    /// <returns>The storage, owned by the caller.</returns>
    Storage CreateStorage(long byteLength);

    // ---- moving data -------------------------------------------------------------------------------------------------------------------------------

    /// <summary>Copies values from the caller into a contiguous tensor.</summary>
    /// <param name="values">As many as the tensor has elements.</param>
    /// <param name="destination">F32, or BF16: to the nearest, ties to even.</param>
    void Write(ReadOnlySpan<float> values, Tensor destination);

    /// <summary>Copies integers from the caller into a contiguous tensor.</summary>
    /// <param name="values">As many as the tensor has elements.</param>
    /// <param name="destination">I32.</param>
    void Write(ReadOnlySpan<int> values, Tensor destination);

    /// <summary>Copies a tensor's values, row by row, to the caller.</summary>
    /// <param name="source">F32, or contiguous BF16.</param>
    /// <param name="values">As many as the tensor has elements.</param>
    void Read(Tensor source, Span<float> values);

    /// <summary>Copies a tensor's integers, row by row, to the caller.</summary>
    /// <param name="source">I32.</param>
    /// <param name="values">As many as the tensor has elements.</param>
    void Read(Tensor source, Span<int> values);

    /// <summary>Sets every element to zero, whatever the type.</summary>
    /// <param name="x">Any tensor.</param>
    void Clear(Tensor x);

    /// <summary>y = x, converting between F32 and BF16 (round to nearest even) where the types differ.</summary>
    /// <param name="x">F32 or BF16 [T, N] (or I32, if both are).</param>
    /// <param name="y">As many rows and columns.</param>
    void Copy(Tensor x, Tensor y);

    /// <summary>Rows in the form in which they are kept until the backward: the codes and scales that a product gives them (report section 3.3.3).</summary>
    /// <param name="x">[T, N].</param>
    /// <param name="coding">bfloat16, or E4M3 or E5M6 in tiles of 1×128.</param>
    /// <param name="codes">Of type and shape of <see cref="OperandCoding.Kept"/>.</param>
    /// <param name="scales">[T, N / 128 rounded up]; not looked at for bfloat16.</param>
    void Encode(Tensor x, OperandCoding coding, Tensor codes, Tensor scales);

    /// <summary>x = code · scale of kept rows.</summary>
    /// <param name="codes">What <see cref="Encode"/> made.</param>
    /// <param name="scales">Likewise.</param>
    /// <param name="coding">The same coding.</param>
    /// <param name="x">[T, N].</param>
    void Decode(Tensor codes, Tensor scales, OperandCoding coding, Tensor x);

    /// <summary>y = y + x.</summary>
    /// <param name="x">[T, N].</param>
    /// <param name="y">[T, N].</param>
    void Add(Tensor x, Tensor y);

    /// <summary>y = xᵀ.</summary>
    /// <param name="x">[M, N] of any type.</param>
    /// <param name="y">[N, M] of the same type.</param>
    void Transpose(Tensor x, Tensor y);

    // ---- matrices ----------------------------------------------------------------------------------------------------------------------------------

    /// <summary>c = op(a)·op(b), or c + op(a)·op(b).</summary>
    /// <remarks>Every element is one chain of fused multiply-adds over k in ascending order, starting from 0 or from c: the bits depend on nothing else.</remarks>
    /// <param name="a">[M, K], or [K, M] when transposed.</param>
    /// <param name="transposeA">Whether op transposes a.</param>
    /// <param name="b">F32 or BF16 (widened exactly) [K, N], or [N, K] when transposed (the layout of weights).</param>
    /// <param name="transposeB">Whether op transposes b.</param>
    /// <param name="c">[M, N].</param>
    /// <param name="accumulate">Add to c instead of replacing it.</param>
    void MatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, bool accumulate = false);

    /// <summary>c = op(a)·op(b), or c + op(a)·op(b), of operands that are rounded on the way (report section 3.3).</summary>
    /// <remarks>
    /// Scales run along the inner dimension: of an operand [T, C] that is transposed a tile is 128 rows of one column. Without scales an element is one chain of fused
    /// multiply-adds in FP32, pairs of k in ascending order, the odd one first, from 0 or c; with scales each 128 of k are such a chain from 0, and
    /// c = fma(chain, scale of a · scale of b, c). The bits depend on nothing else. Subnormal bfloat16 values count as zero.
    /// </remarks>
    /// <param name="a">[M, K], or [K, M] when transposed.</param>
    /// <param name="transposeA">Whether op transposes a.</param>
    /// <param name="b">F32 [K, N], or [N, K] when transposed (the layout of weights).</param>
    /// <param name="transposeB">Whether op transposes b.</param>
    /// <param name="c">[M, N].</param>
    /// <param name="coding">How operands are rounded.</param>
    /// <param name="accumulate">Add to c instead of replacing it.</param>
    void MatMul(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c, ProductCoding coding, bool accumulate = false);

    /// <summary>As <see cref="GroupedMatMul(Tensor, Tensor, Tensor, bool, Tensor)"/> with operands that are rounded on the way.</summary>
    /// <param name="x">[S, K].</param>
    /// <param name="offsets">I32 [E + 1].</param>
    /// <param name="w">[E, N, K] (or [E, K, N] when not transposed).</param>
    /// <param name="transposeW">True for the layout of weights, [out, in].</param>
    /// <param name="y">[S, N].</param>
    /// <param name="coding">How x and w are rounded.</param>
    void GroupedMatMul(Tensor x, Tensor offsets, Tensor w, bool transposeW, Tensor y, ProductCoding coding);

    /// <summary>As <see cref="GroupedMatMulWeightBackward(Tensor, Tensor, Tensor, Tensor)"/> with operands that are rounded on the way: tiles begin at an expert's first row.</summary>
    /// <param name="dy">[S, N].</param>
    /// <param name="x">[S, K].</param>
    /// <param name="offsets">I32 [E + 1].</param>
    /// <param name="dw">[E, N, K].</param>
    /// <param name="coding">How dy and x are rounded.</param>
    void GroupedMatMulWeightBackward(Tensor dy, Tensor x, Tensor offsets, Tensor dw, ProductCoding coding);

    /// <summary>Several independent products, shared out over the threads together.</summary>
    /// <param name="products">Operands as in <see cref="MatMul(Tensor, bool, Tensor, bool, Tensor, bool)"/>; no result may overlap another.</param>
    void MatMulBatch(ReadOnlySpan<MatMulOperands> products);

    /// <summary>Rows sorted by expert, each range times its own expert's weights: y = x·Wᵀ (or x·W).</summary>
    /// <param name="x">[S, K].</param>
    /// <param name="offsets">I32 [E + 1]: expert e owns rows offsets[e] … offsets[e + 1] - 1.</param>
    /// <param name="w">[E, N, K] (or [E, K, N] when not transposed).</param>
    /// <param name="transposeW">True for the layout of weights, [out, in].</param>
    /// <param name="y">[S, N].</param>
    void GroupedMatMul(Tensor x, Tensor offsets, Tensor w, bool transposeW, Tensor y);

    /// <summary>dW[e] += dYᵀ·x over each expert's rows.</summary>
    /// <param name="dy">[S, N].</param>
    /// <param name="x">[S, K].</param>
    /// <param name="offsets">I32 [E + 1].</param>
    /// <param name="dw">[E, N, K].</param>
    void GroupedMatMulWeightBackward(Tensor dy, Tensor x, Tensor offsets, Tensor dw);

    /// <summary>Arranges weights once for many products (inference), in their own type.</summary>
    /// <param name="w">F32 or BF16 [N, K], or one matrix per expert [E, N, K]; copied, so it may be released afterwards.</param>
    /// <returns>The arranged weights, owned by the caller, as <see cref="WeightFormat.F32"/> or <see cref="WeightFormat.BF16"/>.</returns>
    PackedWeights Pack(Tensor w);

    /// <summary>Arranged weights of which no matrix is filled yet.</summary>
    /// <param name="format">How they are held, and with it how products are computed.</param>
    /// <param name="matrices">1, or the number of experts.</param>
    /// <param name="outputs">N.</param>
    /// <param name="inputs">K.</param>
    /// <param name="together">All matrices in one piece of memory, which large pages can serve; releasing one then gives no memory back.</param>
    /// <returns>The weights, owned by the caller.</returns>
    PackedWeights CreatePacked(WeightFormat format, int matrices, int outputs, int inputs, bool together = false);

    /// <summary>Fills (or replaces) one matrix, coding what is not in the weights' format yet.</summary>
    /// <param name="w">From <see cref="CreatePacked"/>.</param>
    /// <param name="matrix">Which.</param>
    /// <param name="parts">Rows in order, N in all; copied. F32 weights come in one F32 part; bfloat16 and FP16 weights take F32, BF16 or F16,
    /// FP8 and integer weights also F8E4M3.</param>
    /// <param name="alone">Work on the calling thread only, which may be done beside other operations (those that read this matrix excepted) and from several threads at
    /// once.</param>
    void Fill(PackedWeights w, int matrix, ReadOnlySpan<WeightPart> parts, bool alone = false);

    /// <summary>Gives the memory of one matrix back; it can be filled again.</summary>
    /// <param name="w">From <see cref="CreatePacked"/>.</param>
    /// <param name="matrix">Which.</param>
    void Release(PackedWeights w, int matrix);

    /// <summary>Hands the memory of one matrix over to another that is not there: the one becomes absent; the other is present, with contents that are undefined until it
    /// is filled.</summary>
    /// <remarks>May be done beside other operations that read neither of the two.</remarks>
    /// <param name="source">From <see cref="CreatePacked"/>.</param>
    /// <param name="present">A matrix of it that is present.</param>
    /// <param name="destination">Weights of the same format and widths.</param>
    /// <param name="absent">A matrix of it that is absent.</param>
    void Move(PackedWeights source, int present, PackedWeights destination, int absent);

    /// <summary>Keeps a matrix in physical memory until its memory is given back.</summary>
    /// <param name="w">From <see cref="CreatePacked"/>.</param>
    /// <param name="matrix">A matrix that is present.</param>
    /// <exception cref="IOException">The system does not allow so much memory to be locked.</exception>
    void Lock(PackedWeights w, int matrix);

    /// <summary>y = x·Wᵀ, or y + x·Wᵀ, with arranged weights.</summary>
    /// <remarks>
    /// F32 weights: bit for bit the plain product. Other formats: activations are coded row by row as <see cref="WeightFormat"/> says, and the order of additions is
    /// fixed, so that a row's result depends on that row and the weights alone.
    /// </remarks>
    /// <param name="x">[T, K].</param>
    /// <param name="w">[N, K].</param>
    /// <param name="y">[T, columns]: the outputs from <paramref name="firstOutput"/> on.</param>
    /// <param name="accumulate">Add to y instead of replacing it.</param>
    /// <param name="firstOutput">First output that is computed, a multiple of 16.</param>
    void MatMul(Tensor x, PackedWeights w, Tensor y, bool accumulate = false, int firstOutput = 0);

    /// <summary>Rows sorted by expert, each range times its own expert's arranged weights.</summary>
    /// <param name="x">[S, K].</param>
    /// <param name="offsets">I32 [E + 1].</param>
    /// <param name="w">[E, N, K]; matrices without rows may be absent.</param>
    /// <param name="y">[S, N].</param>
    void GroupedMatMul(Tensor x, Tensor offsets, PackedWeights w, Tensor y);

    /// <summary>Rows through their experts: y[s] = down_e·(g·silu(gate_e·x[t]) ⊙ up_e·x[t]) for each sorted row s, its token t and gate weight g.</summary>
    /// <remarks>The bits of the separate operations (gather, product, SwiGLU, product); nothing between them goes through memory where many rows meet an expert.</remarks>
    /// <param name="x">[T, K].</param>
    /// <param name="slots">I32 [S], from <see cref="SortByExpert"/> or a part of it: which (token, choice) a sorted row is.</param>
    /// <param name="choices">C: slot / C is the token.</param>
    /// <param name="offsets">I32 [E + 1]: where an expert's sorted rows start.</param>
    /// <param name="gateUp">[E, 2·I, K]: gate over up. Experts without rows may be absent.</param>
    /// <param name="down">[E, N, I].</param>
    /// <param name="gates">[T, C].</param>
    /// <param name="y">[S, N], sorted rows; <see cref="CombineRows"/> sums them up.</param>
    void ExpertMlp(Tensor x, Tensor slots, int choices, Tensor offsets, PackedWeights gateUp, PackedWeights down, Tensor gates, Tensor y);

    // ---- embedding, normalisation, activation ------------------------------------------------------------------------------------------------------

    /// <summary>y[t] = table[ids[t]].</summary>
    /// <param name="table">F32, BF16 or F16 [V, D], or U8 [V, bytes of a row] in blocks.</param>
    /// <param name="ids">I32 [T], each in 0 … V - 1.</param>
    /// <param name="y">[T, D].</param>
    /// <param name="blocks">The format of a table in blocks; rows are decoded as they are looked up.</param>
    void Embed(Tensor table, Tensor ids, Tensor y, BlockFormat? blocks = null);

    /// <summary>dTable[ids[t]] += dy[t], t ascending.</summary>
    /// <param name="dy">[T, D].</param>
    /// <param name="ids">I32 [T].</param>
    /// <param name="dTable">[V, D].</param>
    void EmbedWeightBackward(Tensor dy, Tensor ids, Tensor dTable);

    /// <summary>y = w ⊙ x / sqrt(mean(x²) + epsilon) for each row.</summary>
    /// <param name="x">[T, D].</param>
    /// <param name="w">[D].</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="y">[T, D]; may be x itself.</param>
    /// <param name="inverseRms">[T], gets 1 / sqrt(mean(x²) + epsilon); or no tensor.</param>
    void RmsNorm(Tensor x, Tensor w, float epsilon, Tensor y, Tensor inverseRms = default);

    /// <summary>Gradient for the input of <see cref="RmsNorm"/>: dx = r·(w ⊙ dy) - x·r³/D·Σ(w ⊙ dy ⊙ x).</summary>
    /// <param name="x">[T, D].</param>
    /// <param name="w">[D].</param>
    /// <param name="inverseRms">[T].</param>
    /// <param name="dy">[T, D].</param>
    /// <param name="dx">[T, D]; may be dy itself.</param>
    /// <param name="accumulate">Add to dx instead of replacing it.</param>
    void RmsNormBackward(Tensor x, Tensor w, Tensor inverseRms, Tensor dy, Tensor dx, bool accumulate);

    /// <summary>dw += Σ_t dy ⊙ x·r, t ascending.</summary>
    /// <param name="x">[T, D].</param>
    /// <param name="inverseRms">[T].</param>
    /// <param name="dy">[T, D].</param>
    /// <param name="dw">[D].</param>
    void RmsNormWeightBackward(Tensor x, Tensor inverseRms, Tensor dy, Tensor dw);

    /// <summary>Rotates interleaved pairs in place: (x[2i], x[2i+1]) as a complex number times cos + j·sin of its position.</summary>
    /// <remarks>The inverse rotation is the backward.</remarks>
    /// <param name="x">[T·heads, r], r even.</param>
    /// <param name="heads">Consecutive rows that share a position.</param>
    /// <param name="positions">I32 [T].</param>
    /// <param name="cos">[P, r / 2].</param>
    /// <param name="sin">[P, r / 2].</param>
    /// <param name="inverse">Rotate backwards.</param>
    void Rotate(Tensor x, int heads, Tensor positions, Tensor cos, Tensor sin, bool inverse = false);

    /// <summary>y = silu(gate) ⊙ up, times a factor per row.</summary>
    /// <param name="gateUp">[S, 2·I]: gate in the first half of the columns, up in the second.</param>
    /// <param name="rowScale">[S] (the routing weight), or no tensor for 1.</param>
    /// <param name="y">[S, I].</param>
    void SwiGlu(Tensor gateUp, Tensor rowScale, Tensor y);

    /// <summary>Gradients of <see cref="SwiGlu"/>.</summary>
    /// <param name="gateUp">[S, 2·I].</param>
    /// <param name="rowScale">[S] or no tensor.</param>
    /// <param name="dy">[S, I].</param>
    /// <param name="dGateUp">[S, 2·I].</param>
    /// <param name="dRowScale">[S], or no tensor if there is no row scale.</param>
    void SwiGluBackward(Tensor gateUp, Tensor rowScale, Tensor dy, Tensor dGateUp, Tensor dRowScale);

    // ---- attention ---------------------------------------------------------------------------------------------------------------------------------

    /// <summary>Attention in the expanded form: per head o = softmax(scale·(q_nope·k_nope + q_rope·k_rope))·v over a range of keys per query.</summary>
    /// <remarks>Keys are taken in blocks of 64 with a running maximum; a query's result depends on its own key range only.</remarks>
    /// <param name="q">[Tq, H·(nope + rope)], rope parts rotated.</param>
    /// <param name="kv">[Tk, H·(nope + value)].</param>
    /// <param name="kRope">[Tk, rope], rotated, shared by the heads.</param>
    /// <param name="starts">I32 [Tq]: first key that a query sees; never decreasing.</param>
    /// <param name="ends">I32 [Tq]: one past the last key that a query sees; never decreasing, above starts.</param>
    /// <param name="heads">H.</param>
    /// <param name="scale">Softmax scale.</param>
    /// <param name="o">[Tq, H·value].</param>
    /// <param name="logSumExp">[H, Tq] for the backward, or no tensor.</param>
    /// <param name="bfloat16">Round the operands of products, weights of the softmax among them, to bfloat16; sums and softmax are FP32. Keys are then taken in blocks of 96
    /// from the first that the queries around see, and a query's result depends on the keys of those.</param>
    void Attention(Tensor q, Tensor kv, Tensor kRope, Tensor starts, Tensor ends, int heads, float scale, Tensor o, Tensor logSumExp = default, bool bfloat16 = false);

    /// <summary>Gradients of <see cref="Attention"/>; recomputes the probabilities.</summary>
    /// <param name="q">As in the forward.</param>
    /// <param name="kv">As in the forward.</param>
    /// <param name="kRope">As in the forward.</param>
    /// <param name="starts">As in the forward.</param>
    /// <param name="ends">As in the forward.</param>
    /// <param name="heads">H.</param>
    /// <param name="scale">Softmax scale.</param>
    /// <param name="o">The forward's result.</param>
    /// <param name="logSumExp">[H, Tq] from the forward.</param>
    /// <param name="dOut">[Tq, H·value].</param>
    /// <param name="dq">[Tq, H·(nope + rope)], replaced.</param>
    /// <param name="dkv">[Tk, H·(nope + value)], replaced.</param>
    /// <param name="dkRope">[Tk, rope], replaced: the sum over heads in ascending order.</param>
    /// <param name="scratch">[H, Tk·rope]: per-head rope key gradients before they are summed.</param>
    /// <param name="bfloat16">As in the forward.</param>
    void AttentionBackward(
        Tensor q, Tensor kv, Tensor kRope, Tensor starts, Tensor ends, int heads, float scale, Tensor o, Tensor logSumExp, Tensor dOut, Tensor dq, Tensor dkv,
        Tensor dkRope, Tensor scratch, bool bfloat16 = false);

    /// <summary>Attention of a prompt in the expanded form and in bfloat16: keys and values are latents times weights, attention as in <see cref="Attention"/>.</summary>
    /// <remarks>
    /// Queries, keys, values and weights of the softmax are rounded to bfloat16 for their products, which add up in FP32. Keys are taken in blocks of 256 from key 0
    /// on with a running maximum; a query's result depends on its own keys only.
    /// </remarks>
    /// <param name="q">[Tq, H·(nope + rope)], rope parts rotated.</param>
    /// <param name="latents">[Tk, R + rope], normalised latents and rotated rope keys.</param>
    /// <param name="latentUp">[H·(nope + value), R], not F32; the product is that of <see cref="MatMul(Tensor, PackedWeights, Tensor, bool, int)"/>.</param>
    /// <param name="ends">I32 [Tq] or [Tq, 1]: how many keys a query sees, at least 1; never decreasing.</param>
    /// <param name="heads">H.</param>
    /// <param name="scale">Softmax scale, above 0.</param>
    /// <param name="o">[Tq, H·value].</param>
    void PromptAttention(Tensor q, Tensor latents, PackedWeights latentUp, Tensor ends, int heads, float scale, Tensor o);

    /// <summary>Attention in the absorbed form, on a paged latent cache: scores = scale·(qLatent·c + qRope·k), result = Σ p·c.</summary>
    /// <remarks>
    /// A row's result depends on its own query, length and cached values only, never on which rows are computed with it. For a cache below FP32 queries and
    /// weights are rounded to bfloat16 for the products, which add up in FP32.
    /// </remarks>
    /// <param name="qLatent">[T, H·R]: queries with the key projection absorbed.</param>
    /// <param name="qRope">[T·H, rope] rotated (a strided view of the queries).</param>
    /// <param name="cache">[pages·pageTokens, columns], rows as <see cref="WriteLatents"/> stores them.</param>
    /// <param name="pageTokens">Tokens in a page, 1 to 256; multiples of 64 are fastest.</param>
    /// <param name="pageTables">I32 [sequences, most pages].</param>
    /// <param name="sequences">I32 [T]: which row of the page tables a query uses.</param>
    /// <param name="lengths">I32 [T]: how many cached tokens a query sees, its own included; at least 1.</param>
    /// <param name="heads">H.</param>
    /// <param name="scale">Softmax scale.</param>
    /// <param name="o">[T, H·R].</param>
    void LatentAttention(
        Tensor qLatent, Tensor qRope, Tensor cache, int pageTokens, Tensor pageTables, Tensor sequences, Tensor lengths, int heads, float scale, Tensor o);

    /// <summary>Stores normalised latents and rotated rope keys as rows of a latent cache.</summary>
    /// <param name="latents">[T, R + rope].</param>
    /// <param name="rank">R.</param>
    /// <param name="cache">
    /// [T, columns] with as many columns as <see cref="LatentFormat.Columns"/> says: F32 or BF16 (rounded to nearest), or F8E4M3 with a scale
    /// max(amax, 1e-4) / 448 per token and 128 latent columns (report section 3.3.2) and the rope key in BF16.
    /// </param>
    void WriteLatents(Tensor latents, int rank, Tensor cache);

    /// <summary>The values of rows of a latent cache.</summary>
    /// <param name="cache">[T, columns] as <see cref="WriteLatents"/> stored them.</param>
    /// <param name="rank">R.</param>
    /// <param name="latents">[T, R + rope].</param>
    void ReadLatents(Tensor cache, int rank, Tensor latents);

    // ---- routing and dispatch ----------------------------------------------------------------------------------------------------------------------

    /// <summary>Chooses experts and gate weights from router logits (report equations 12-16, section 5.1 of the specification).</summary>
    /// <param name="logits">[T, E].</param>
    /// <param name="bias">[E], added for the choice only; or no tensor.</param>
    /// <param name="rule">How to choose and weigh.</param>
    /// <param name="scores">[T, E]: sigmoid or softmax of the logits.</param>
    /// <param name="experts">I32 [T, C], by descending choice score, the lower index first among equals.</param>
    /// <param name="weights">[T, C].</param>
    void Route(Tensor logits, Tensor bias, RoutingRule rule, Tensor scores, Tensor experts, Tensor weights);

    /// <summary>Gradient of <see cref="Route"/> for the logits; the choice itself has none.</summary>
    /// <param name="scores">[T, E] from the forward.</param>
    /// <param name="experts">I32 [T, C] from the forward.</param>
    /// <param name="dWeights">[T, C].</param>
    /// <param name="dScores">[T, E] a further gradient for the scores (the balance loss), or no tensor.</param>
    /// <param name="rule">As in the forward.</param>
    /// <param name="dLogits">[T, E], replaced.</param>
    void RouteBackward(Tensor scores, Tensor experts, Tensor dWeights, Tensor dScores, RoutingRule rule, Tensor dLogits);

    /// <summary>The sequence-wise balance loss (report equations 17-20) and its gradient for the scores.</summary>
    /// <param name="scores">[B·L, E]: B sequences of L tokens.</param>
    /// <param name="sequenceLength">L.</param>
    /// <param name="topK">Experts counted per token, by score alone (no bias, no groups).</param>
    /// <param name="gradientScale">Factor on the gradient: the weight α over the number of sequences averaged.</param>
    /// <param name="loss">[B]: Σ_e f_e·P_e of each sequence, unweighted.</param>
    /// <param name="dScores">[B·L, E], replaced.</param>
    void BalanceLoss(Tensor scores, int sequenceLength, int topK, float gradientScale, Tensor loss, Tensor dScores);

    /// <summary>counts[e] += tokens of scores [T, E] whose <paramref name="topK"/> best scores contain e, the lower index first among equals; counts is I32 [E].</summary>
    void CountBest(Tensor scores, int topK, Tensor counts);

    /// <summary><see cref="BalanceLoss"/> with the experts' shares counted over more than a sequence (report section 4.5.3).</summary>
    /// <remarks>
    /// counts is I32 [E], see <see cref="CountBest"/>: f_e = E·counts[e] / Σ counts, constant for the gradient. The mean of the B losses Σ_e f_e·P_e, with P of each
    /// sequence, is the loss with P over all of them.
    /// </remarks>
    void BatchBalanceLoss(Tensor scores, int sequenceLength, Tensor counts, float gradientScale, Tensor loss, Tensor dScores);

    /// <summary>Sorts slots (token, choice) by expert, stable.</summary>
    /// <param name="experts">I32 [T, C].</param>
    /// <param name="offsets">I32 [E + 1], gets where each expert's rows start.</param>
    /// <param name="slots">I32 [S]: for each sorted row, its slot t·C + c.</param>
    /// <param name="rows">I32 [S]: for each slot, its sorted row.</param>
    void SortByExpert(Tensor experts, Tensor offsets, Tensor slots, Tensor rows);

    /// <summary>y[s] = x[indices[s] / divisor].</summary>
    /// <param name="x">[T, D].</param>
    /// <param name="indices">I32 [S].</param>
    /// <param name="divisor">Choices per token when indices are slots, else 1.</param>
    /// <param name="y">[S, D].</param>
    void GatherRows(Tensor x, Tensor indices, int divisor, Tensor y);

    /// <summary>y[t] (+)= x[rows[t·C]] + … + x[rows[t·C + C - 1]], in this order.</summary>
    /// <param name="x">[S, D].</param>
    /// <param name="rows">I32 [T·C].</param>
    /// <param name="y">[T, D].</param>
    /// <param name="accumulate">Add to y instead of replacing it.</param>
    void CombineRows(Tensor x, Tensor rows, Tensor y, bool accumulate);

    // ---- losses and optimizer ----------------------------------------------------------------------------------------------------------------------

    /// <summary>Cross-entropy of each row and, if wanted, its gradient in place of the logits.</summary>
    /// <param name="logits">[T, V]; with a gradient, replaced by weight·(softmax - onehot).</param>
    /// <param name="labels">I32 [T]; a negative label drops the row (loss 0, gradient 0).</param>
    /// <param name="gradientWeight">Factor on the gradient, for instance 1 / N.</param>
    /// <param name="loss">[T], in nats, unweighted.</param>
    /// <param name="gradient">Whether to replace the logits by the gradient.</param>
    void CrossEntropy(Tensor logits, Tensor labels, float gradientWeight, Tensor loss, bool gradient);

    /// <summary>Where each row is largest; of equal values the first. A row with a NaN gives some place of the row.</summary>
    /// <param name="x">[T, V], V at least 1.</param>
    /// <param name="indices">I32 [T], 0 … V - 1.</param>
    void ArgMax(Tensor x, Tensor indices);

    /// <summary>Σ x², in FP64, blocks of 4,096 elements in ascending order.</summary>
    /// <param name="x">A contiguous tensor.</param>
    /// <returns>The sum.</returns>
    double SumOfSquares(Tensor x);

    /// <summary>One step of AdamW on contiguous tensors of the same size: decay, moments, bias correction, update.</summary>
    /// <param name="parameters">Updated.</param>
    /// <param name="gradients">Read, multiplied by <see cref="AdamWStep.GradientScale"/>, then zero for the next step.</param>
    /// <param name="firstMoments">Updated; F32, or BF16 if both are: updated and used in FP32, then rounded (report section 3.3.3).</param>
    /// <param name="secondMoments">Updated.</param>
    /// <param name="rates">Rates and corrections.</param>
    void AdamW(Tensor parameters, Tensor gradients, Tensor firstMoments, Tensor secondMoments, AdamWStep rates);
}
