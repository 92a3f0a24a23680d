using System.Buffers.Binary;
using System.Text;
using Alt.Domain;
using Alt.Model.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

public sealed class SafetensorsTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly string _path = Path.GetTempFileName();

    public void Dispose()
    {
        _scope.Dispose();
        File.Delete(_path);
    }

    [Fact]
    public void Tensors_of_every_type_and_shape_come_back_as_they_were()
    {
        var tensors = new[] { float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, @bool }
            .ToDictionary(type => type.ToString(), type => tensor([1f, 0, 3, 1, 5, 0]).view(2, 3).to(type));
        tensors["scalar"] = tensor(2f);
        tensors["nothing"] = zeros([0, 4]);
        tensors["transposed"] = tensor([1f, 2, 3, 4]).view(2, 2).t();
        SafetensorsWriter.Write(_path, tensors);

        using var file = SafetensorsFile.Open(_path);
        Assert.Equal(tensors.Keys.Order(StringComparer.Ordinal), file.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.All(tensors, tensor =>
        {
            var read = file.Read(tensor.Key);
            Assert.Equal(tensor.Value.dtype, read.dtype);
            Assert.Equal(tensor.Value.shape, read.shape);
            Assert.True(read.to(float64).eq(tensor.Value.to(float64)).all().ToBoolean());
        });
    }

    [Fact]
    public void The_order_of_the_tensors_changes_neither_bytes_nor_hash()
    {
        var (a, b) = (new KeyValuePair<string, Tensor>("a", ones([3])), new KeyValuePair<string, Tensor>("b", zeros([2])));
        Assert.Equal(SafetensorsWriter.Hash([a, b]), SafetensorsWriter.Hash([b, a]));
        Assert.NotEqual(SafetensorsWriter.Hash([a, b]), SafetensorsWriter.Hash([a, new("b", ones([2]))]));
    }

    [Fact]
    public void Half_precision_is_written_as_transformers_writes_it_with_larger_elements_first()
    {
        SafetensorsWriter.Write(
            _path, [new("half", tensor([1f]).to(float16)), new("brain", tensor([1f]).to(bfloat16)), new("single", tensor([1f]))]);
        const string header =
            """{"__metadata__":{"format":"pt"},"single":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"brain":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]},"half":{"dtype":"F16","shape":[1],"data_offsets":[6,8]}}""";
        var padded = header.PadRight((header.Length + 7) / 8 * 8);
        Assert.Equal(
            [.. BitConverter.GetBytes((long)padded.Length), .. Encoding.ASCII.GetBytes(padded), 0, 0, 0x80, 0x3f, 0x80, 0x3f, 0, 0x3c],
            File.ReadAllBytes(_path));
    }

    [Theory]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "the file has 7")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "the file has 9")]
    [InlineData("""{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "x takes 8 bytes, its shape [3] and type need 12")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "the data of x starts at 4, expected 0")]
    [InlineData("""{"x":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}}""", 8, "no support for elements of type Q4")]
    [InlineData("""{"x":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "no valid shape")]
    [InlineData("""{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", 8, "is not a safetensors file")]
    [InlineData("""{"x":{"shape":[2]}}""", 8, "is not a safetensors file")]
    [InlineData("""{"x":""", 8, "is not a safetensors file")]
    [InlineData("[]", 0, "is not a safetensors file")]
    public void A_damaged_file_is_refused_with_what_is_wrong(string header, int dataLength, string expected)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        File.WriteAllBytes(_path, [.. length, .. Encoding.ASCII.GetBytes(header), .. new byte[dataLength]]);
        var error = Assert.Throws<InputException>(() => SafetensorsFile.Open(_path));
        Assert.Contains(expected, error.Message);
        Assert.StartsWith(_path, error.Message);
    }

    [Theory]
    [InlineData("""{"x\n\u001b[2J":{"shape":[2]}}""", 0, "the header's entry x  [2J has no valid dtype")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1e1],"data_offsets":[0,40]}}""", 40, "has no valid dtype, shape")]
    [InlineData("""{"x":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}}""", 0, "more than any memory holds")]
    [InlineData(
        """{"x":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}""", 8,
        "no support for elements of type F8_E4M3; expected F64, F32, F16, BF16")]
    [InlineData(
        """{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", 0,
        "Duplicate property 'x'")]
    public void What_a_header_may_not_say_is_refused_in_one_line(string header, int dataLength, string expected)
    {
        A_damaged_file_is_refused_with_what_is_wrong(header, dataLength, expected);
        Assert.DoesNotContain(Assert.Throws<InputException>(() => SafetensorsFile.Open(_path)).Message, char.IsControl);
    }

    [Fact]
    public void A_tensor_of_too_many_dimensions_is_refused() =>
        A_damaged_file_is_refused_with_what_is_wrong(
            $$"""{"x":{"data_offsets":[0,4],"dtype":"F32","shape":[{{string.Join(",", Enumerable.Repeat(1, 65))}}]} }""", 4,
            "65 dimensions, the least 1; expected at most 64");

    [Fact]
    public void A_tensor_that_is_larger_than_a_part_comes_back_whole()
    {
        var large = arange((1 << 24) + 5).to(uint8);
        SafetensorsWriter.Write(_path, [new("large", large)]);
        using var file = SafetensorsFile.Open(_path);
        Assert.True(file.Read("large").eq(large).all().ToBoolean());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(100)]
    public void A_file_that_is_too_short_is_refused(int length)
    {
        File.WriteAllBytes(_path, [.. Enumerable.Repeat((byte)0x7f, length)]);
        Assert.Throws<InputException>(() => SafetensorsFile.Open(_path));
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Contains(
            "/none.safetensors does not exist", Assert.Throws<InputException>(() => SafetensorsFile.Open("/none.safetensors")).Message);
}
