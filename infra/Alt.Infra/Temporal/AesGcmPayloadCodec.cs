using System.Security.Cryptography;
using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Converters;

namespace Alt.Infra.Temporal;

/// <summary>
/// Encrypts everything that workflows and activities hand to the server with AES-256-GCM, so that the server and its database see names,
/// ids and times only. It may have several keys, so that a new one can be introduced while workflows run.
/// </summary>
/// <remarks>
/// Payloads are in the form of Temporal's encryption samples: metadata <c>encoding: binary/encrypted</c> and <c>encryption-key-id</c>, data
/// nonce (12 bytes), ciphertext, tag (16 bytes).
/// </remarks>
public sealed class AesGcmPayloadCodec : IPayloadCodec
{
    /// <summary>Environment variable with the keys: <c>id:base64</c>, several separated by commas; the first encrypts.</summary>
    public const string Variable = "ALT_PAYLOAD_KEYS";

    private const int KeyLength = 32;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const string KeyIdField = "encryption-key-id";

    private static readonly ByteString Encrypted = ByteString.CopyFromUtf8("binary/encrypted");

    private readonly Dictionary<string, byte[]> _keys;
    private readonly string _currentKeyId;

    /// <summary>Creates the codec.</summary>
    /// <param name="currentKeyId">ID of the key that encrypts.</param>
    /// <param name="keys">All keys by ID, 32 bytes each.</param>
    /// <exception cref="ArgumentException">The current key is missing, or a key has another length.</exception>
    public AesGcmPayloadCodec(string currentKeyId, IReadOnlyDictionary<string, byte[]> keys)
    {
        if (!keys.ContainsKey(currentKeyId))
        {
            throw new ArgumentException($"Key '{currentKeyId}' is not among the keys", nameof(keys));
        }
        if (keys.FirstOrDefault(key => key.Value.Length != KeyLength) is { Key: { } wrong })
        {
            throw new ArgumentException($"Key '{wrong}' must be {KeyLength} bytes long, is {keys[wrong].Length}", nameof(keys));
        }
        _currentKeyId = currentKeyId;
        _keys = keys.ToDictionary();
    }

    /// <summary>The codec with the keys of the environment, or null where <see cref="Variable"/> is not set.</summary>
    /// <exception cref="ArgumentException">The variable is not of its form.</exception>
    public static AesGcmPayloadCodec? FromEnvironment() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } value ? Parse(value) : null;

    /// <summary>Reads keys in the form of <see cref="Variable"/>.</summary>
    /// <exception cref="ArgumentException">The text is not of that form; the message does not show it.</exception>
    public static AesGcmPayloadCodec Parse(string text)
    {
        var keys = new Dictionary<string, byte[]>();
        string? first = null;
        foreach (var entry in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var colon = entry.IndexOf(':', StringComparison.Ordinal);
            var key = new byte[KeyLength];
            if (colon <= 0 || !Convert.TryFromBase64String(entry[(colon + 1)..], key, out var length) || length != KeyLength)
            {
                throw new ArgumentException(
                    $"{Variable} must hold id:key pairs separated by commas, each key {KeyLength} bytes in base64 (openssl "
                    + $"rand -base64 {KeyLength})");
            }
            first ??= entry[..colon];
            keys[entry[..colon]] = key;
        }
        return new(first!, keys);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyCollection<Payload>> EncodeAsync(IReadOnlyCollection<Payload> payloads) =>
        Task.FromResult<IReadOnlyCollection<Payload>>(payloads.Select(Encrypt).ToArray());

    /// <inheritdoc/>
    /// <exception cref="CryptographicException">A payload was changed, or its key is not known.</exception>
    public Task<IReadOnlyCollection<Payload>> DecodeAsync(IReadOnlyCollection<Payload> payloads) =>
        Task.FromResult<IReadOnlyCollection<Payload>>(payloads.Select(Decrypt).ToArray());

    private Payload Encrypt(Payload payload)
    {
        var plain = payload.ToByteArray();
        var data = new byte[NonceLength + plain.Length + TagLength];
        var nonce = data.AsSpan(0, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_keys[_currentKeyId], TagLength);
        aes.Encrypt(nonce, plain, data.AsSpan(NonceLength, plain.Length), data.AsSpan(NonceLength + plain.Length));
        return new()
        {
            Metadata = { ["encoding"] = Encrypted, [KeyIdField] = ByteString.CopyFromUtf8(_currentKeyId) },
            Data = UnsafeByteOperations.UnsafeWrap(data),
        };
    }

    // What was written before encryption was switched on stays readable.
    private Payload Decrypt(Payload payload)
    {
        if (!payload.Metadata.TryGetValue("encoding", out var encoding) || encoding != Encrypted)
        {
            return payload;
        }
        var keyId = payload.Metadata.TryGetValue(KeyIdField, out var id) ? id.ToStringUtf8() : "";
        if (!_keys.TryGetValue(keyId, out var key))
        {
            throw new CryptographicException($"Payload is encrypted with key '{keyId}', which {Variable} does not hold");
        }
        var data = payload.Data.Span;
        if (data.Length < NonceLength + TagLength)
        {
            throw new CryptographicException("Encrypted payload was cut off");
        }
        var plain = new byte[data.Length - NonceLength - TagLength];
        using var aes = new AesGcm(key, TagLength);
        aes.Decrypt(data[..NonceLength], data.Slice(NonceLength, plain.Length), data[^TagLength..], plain);
        return Payload.Parser.ParseFrom(plain);
    }
}
